import Foundation
import HTTPClient
import TestSupport
import Testing

@testable import MLflow

/// A client of the shared real server.
func realClient() async throws -> MLflowClient {
    MLflowClient(try await quickConfiguration(MLflowServer.shared().url))
}

/// Short waits between attempts, so that tests of failures end soon.
func quickConfiguration(_ url: String) throws -> MLflowConfiguration {
    var configuration = try MLflowConfiguration(trackingURI: url)
    configuration.retriesMax = 3
    configuration.retryDelayFirst = .milliseconds(10)
    configuration.retryJitterMax = .milliseconds(10)
    configuration.timeout = .seconds(60)
    return configuration
}

/// A run in an experiment of its own.
func newRun(_ client: MLflowClient) async throws -> Run {
    let experiment = try await client.experiment(named: MLflowServer.unique("test"))
    return try await client.createRun(NewRun(experimentID: experiment.id, name: "a run"))
}

/// A new temporary folder that is removed after `body`.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = NSTemporaryDirectory() + MLflowServer.unique("manta-tracking")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

func write(_ text: String, to path: String) throws {
    try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
}

/// The error's kind, or a recorded issue.
func kind(
    sourceLocation: SourceLocation = #_sourceLocation, of body: () async throws -> some Any
) async -> MLflowError.Kind? {
    do {
        let value = try await body()
        Issue.record("It succeeded: \(value)", sourceLocation: sourceLocation)
        return nil
    } catch let error as MLflowError {
        return error.kind
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
        return nil
    }
}
