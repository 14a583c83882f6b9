import Foundation
import NIOCore
import Synchronization
import Telemetry
import Testing

@testable import Serving

/// A model server in this process, or two of them behind sockets.
enum EndpointUnderTest: CaseIterable {
    case embedded, replicas

    func with(_ body: (any ReplicaEndpoint) async throws -> Void) async throws {
        switch self {
        case .embedded:
            let instruments = GatewayInstruments(MetricRegistry())
            try await body(
                ModelServer(
                    limits: .init(), instruments: instruments, admission: Admission(limit: 64)))
        case .replicas:
            let pool = try TestPool.make(LocalReplicas()) { $0.autoscaling = .fixed(2) }
            try await body(pool)
            await pool.stop()
        }
    }
}

/// What every replica endpoint must do. Each test runs once per endpoint.
@Suite struct ReplicaEndpointContract {
    private static func folder(_ versions: Int) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for number in 1...versions {
            try folder.add(TestModels.constant(Float(number)), as: "One", version: number)
        }
        return folder
    }

    @Test(
        "Without a model it answers 503 with the line that loads one",
        arguments: EndpointUnderTest.allCases)
    func nothingLoaded(_ kind: EndpointUnderTest) async throws {
        try await kind.with { endpoint in
            #expect(endpoint.servedVersion == nil)
            let reply = await endpoint.predict(TestPool.request())
            #expect(reply.status == 503 && reply.rejection == "not_loaded")
            #expect(String(decoding: reply.body, as: UTF8.self).contains("load it"))
            #expect(await endpoint.unload() == nil)
        }
    }

    @Test(
        "It answers with what it installed, says what it is, and lets it go again",
        arguments: EndpointUnderTest.allCases)
    func life(_ kind: EndpointUnderTest) async throws {
        let folder = try Self.folder(2)
        try await kind.with { endpoint in
            let first = try await endpoint.install(
                folder.path + "/One/1", version: TestPool.version(1))
            #expect(first.previous == nil && first.sha256.count == 64)
            #expect(first.signatureJSON.contains("inputs"))
            let reply = await endpoint.predict(TestPool.request())
            #expect(reply.status == 200 && reply.rowCount == 1)
            #expect(String(decoding: reply.body, as: UTF8.self).contains("[1.0]"))
            let second = try await endpoint.install(
                folder.path + "/One/2", version: TestPool.version(2))
            #expect(second.previous == TestPool.version(1))
            #expect(endpoint.servedVersion == TestPool.version(2))
            #expect(await endpoint.unload() == TestPool.version(2))
            #expect(await endpoint.predict(TestPool.request()).status == 503)
            _ = try await endpoint.install(folder.path + "/One/1", version: TestPool.version(1))
            #expect(await endpoint.predict(TestPool.request()).status == 200)
        }
    }

    @Test(
        "Good and bad bodies get the same reply from every endpoint",
        arguments: [
            (#"{"features": [[1, 2], [3, 4]]}"#, 200), (#"{"features": [[1]]}"#, 422),
            (#"{"features": [["x", 2]]}"#, 422), (#"{"features""#, 422), ("", 422),
            (String(repeating: "[", count: 100), 400),
        ])
    func sameReplies(_ body: String, _ status: Int) async throws {
        let folder = try Self.folder(1)
        for style in [PredictRequest.Style.predict, .serve] {
            let replies = Mutex<[String]>([])
            for kind in EndpointUnderTest.allCases {
                try await kind.with { endpoint in
                    _ = try await endpoint.install(
                        folder.path + "/One/1", version: TestPool.version(1))
                    var request = TestPool.request(body)
                    request.style = style
                    let reply = await endpoint.predict(request)
                    #expect(reply.status == status)
                    let text = String(decoding: reply.body, as: UTF8.self)
                        .replacing(/"timestamp":"[^"]*"/, with: "")
                    replies.withLock { $0.append("\(reply.contentType) \(text)") }
                }
            }
            #expect(Set(replies.withLock { $0 }).count == 1)
        }
    }

    /// One row, 1 and 2, in a protocol's form.
    private static func request(_ style: PredictRequest.Style, isBinary: Bool) -> PredictRequest {
        let binary = isBinary ? #","parameters":{"binary_data_size":8}"# : #","data":[1,2]"#
        let tensor = #"{"name":"rows","shape":[1,2],"datatype":"FP32"\#(binary)}"#
        let json = #"{"parameters":{"binary_data_output":\#(isBinary)},"inputs":[\#(tensor)]}"#
        let text =
            switch style {
            case .predict, .explain, .serve: #"{"features":[[1,2]]}"#
            case .openInference: json
            case .kserve: #"{"instances":[[1,2]]}"#
            case .mlflow: #"{"inputs":[[1,2]]}"#
            case .mlflowCSV: "a,b\n1,2\n"
            }
        var body = ByteBuffer(string: text)
        for value in isBinary ? [Float(1), 2] : [] {
            body.writeInteger(value.bitPattern, endianness: .little)
        }
        var request = PredictRequest(body: body, requestID: "r-1", loadCommand: "load it")
        request.style = style
        if isBinary { request.jsonSize = text.utf8.count }
        return request
    }

    @Test(
        "Every protocol's request gets the same reply from every endpoint",
        arguments: [
            (PredictRequest.Style.openInference, false), (.openInference, true), (.kserve, false),
            (.mlflow, false), (.mlflowCSV, false),
        ])
    func protocols(_ style: PredictRequest.Style, _ isBinary: Bool) async throws {
        let folder = try Self.folder(1)
        let replies = Mutex<[Reply]>([])
        for kind in EndpointUnderTest.allCases {
            try await kind.with { endpoint in
                _ = try await endpoint.install(
                    folder.path + "/One/1", version: TestPool.version(1))
                let reply = await endpoint.predict(Self.request(style, isBinary: isBinary))
                #expect(reply.status == 200, "\(String(decoding: reply.body, as: UTF8.self))")
                #expect(reply.rowCount == 1)
                replies.withLock { $0.append(reply) }
            }
        }
        let (one, other) = replies.withLock { ($0[0], $0[1]) }
        #expect(one.body == other.body && one.contentType == other.contentType)
        // Their values may be times.
        #expect(one.headers.map(\.name) == other.headers.map(\.name))
    }

    @Test(
        "A model that cannot be served is refused, and the one before goes on answering",
        arguments: EndpointUnderTest.allCases)
    func badModel(_ kind: EndpointUnderTest) async throws {
        let folder = try Self.folder(1)
        try FileManager.default.createDirectory(
            atPath: folder.path + "/empty", withIntermediateDirectories: true)
        try await kind.with { endpoint in
            _ = try await endpoint.install(folder.path + "/One/1", version: TestPool.version(1))
            do throws(GatewayError) {
                _ = try await endpoint.install(
                    folder.path + "/empty", version: TestPool.version(2))
                Issue.record("an empty folder was served")
            } catch {
                guard case .badModel(let name, let version, _) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(name == "One" && version == "2")
            }
            #expect(endpoint.servedVersion == TestPool.version(1))
            for _ in 0..<10 {
                #expect(await endpoint.predict(TestPool.request()).status == 200)
            }
        }
    }

    @Test(
        "Sixty swaps under eight callers: no failure, and nobody sees an older model again",
        arguments: EndpointUnderTest.allCases)
    func swaps(_ kind: EndpointUnderTest) async throws {
        let folder = try Self.folder(61)
        try await kind.with { endpoint in
            _ = try await endpoint.install(folder.path + "/One/1", version: TestPool.version(1))
            let isDone = Flag()
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var count = 0
                        var last = 0
                        while !isDone.isSet {
                            let reply = await endpoint.predict(TestPool.request())
                            #expect(reply.status == 200)
                            let text = String(decoding: reply.body, as: UTF8.self)
                            let number =
                                text.firstMatch(of: /"model_version":"(\d+)"/)
                                .flatMap { Int($0.1) } ?? 0
                            #expect(text.contains("[\(number).0]"), "one version: \(text)")
                            #expect(number >= last)
                            last = number
                            count += 1
                            // In this process nothing waits: callers alone would fill the pool.
                            await Task.yield()
                        }
                        return count
                    }
                }
                for number in 2...61 {
                    _ = try? await endpoint.install(
                        folder.path + "/One/\(number)", version: TestPool.version(number))
                }
                isDone.set()
                let count = await group.reduce(0, +)
                #expect(count > 0)
            }
            #expect(endpoint.servedVersion == TestPool.version(61))
        }
    }
}
