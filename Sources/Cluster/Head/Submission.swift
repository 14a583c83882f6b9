import Foundation
package import Jobs
import NIOCore

/// A submission's body, checked field by field before anything is stored.
struct Submission {
    private let request: SubmitRequest

    static let environmentMax = 256
    static let textMax = 64 << 10

    init(_ body: ByteBuffer) throws {
        try Submission.refuseUnknownFields(body)
        request = try HeadJSON.decode(SubmitRequest.self, from: body)
    }

    /// - Throws: `HeadFailure` 400 naming the field, 404 for a blob that was not uploaded.
    func newJob(blobs: any BlobStore) async throws -> NewJob {
        let id = try identifier()
        guard !request.entrypoint.isEmpty, request.entrypoint.utf8.count <= Submission.textMax else {
            throw invalid("entrypoint", "is empty or longer than \(Submission.textMax) bytes")
        }
        let environment = request.runtimeEnvironment?.variables ?? [:]
        try check(environment)
        let workingDirectory = try request.runtimeEnvironment?.workingDirectory.map(blobDigest)
        if let digest = request.script?.digest { try await require(digest, blobs) }
        if let workingDirectory { try await require(workingDirectory, blobs) }
        return NewJob(
            id: id, entrypoint: try entrypoint(), workingDirectory: workingDirectory,
            environment: environment, metadata: request.metadata ?? [:],
            driverResources: try resources(), priority: request.priority ?? 0)
    }

    private func identifier() throws -> JobID {
        let text = request.submissionID ?? JobID.random().rawValue
        guard let id = JobID(rawValue: text) else {
            throw invalid("submission_id", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}")
        }
        return id
    }

    private func entrypoint() throws -> Entrypoint {
        guard let script = request.script else { return .command(request.entrypoint) }
        let name = (script.fileName as NSString).lastPathComponent
        guard name == script.fileName, name.hasSuffix(".swift"), name.utf8.count <= 128,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !name.hasPrefix("-")
        else { throw invalid("manta_script.file_name", "must be a plain name ending in .swift") }
        guard script.arguments.reduce(0, { $0 + $1.utf8.count }) <= Submission.textMax else {
            throw invalid("manta_script.arguments", "are longer than \(Submission.textMax) bytes")
        }
        return .script(fileName: name, digest: script.digest, arguments: script.arguments)
    }

    private func resources() throws -> Resources {
        let cpus = request.cpus ?? 0
        guard cpus.isFinite, (0...10_000).contains(cpus) else {
            throw invalid("entrypoint_num_cpus", "must be in 0...10000")
        }
        guard let memory = Optional(request.memoryInBytes ?? 0), memory >= 0 else {
            throw invalid("entrypoint_memory", "must not be negative")
        }
        let gpus = request.gpus ?? 0
        guard gpus.isFinite, (0...1_024).contains(gpus), gpus == gpus.rounded() else {
            throw invalid("entrypoint_num_gpus", "must be a whole number in 0...1024")
        }
        return Resources(
            milliCPUs: Int((cpus * 1_000).rounded()), memoryInBytes: memory, gpus: Int(gpus))
    }

    private func check(_ environment: [String: String]) throws {
        guard environment.count <= Submission.environmentMax else {
            throw invalid("env_vars", "has more than \(Submission.environmentMax) entries")
        }
        for (name, value) in environment {
            guard !name.isEmpty, !name.contains("="), !name.contains("\0"), !value.contains("\0"),
                name.utf8.count <= 256, value.utf8.count <= Submission.textMax
            else { throw invalid("env_vars.\(name.prefix(64))", "is no environment variable") }
        }
    }

    private func blobDigest(_ text: String) throws -> String {
        guard text.hasPrefix("blob://") else {
            throw invalid("runtime_env.working_dir", "must be blob://<sha256> of an uploaded zip file")
        }
        return String(text.dropFirst(7))
    }

    private func require(_ digest: String, _ blobs: any BlobStore) async throws {
        guard digest.utf8.count == 64, digest.allSatisfy(\.isHexDigit) else {
            throw invalid("digest", "is 64 lower-case hex digits")
        }
        guard try await blobs.contains(digest) else { throw BlobStoreError.missing(digest) }
    }

    private static func refuseUnknownFields(_ body: ByteBuffer) throws {
        struct AnyKey: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init?(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        struct Keys: Decodable {
            let names: [String]
            init(from decoder: any Decoder) throws {
                names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
            }
        }
        // Ray's clients may send these; they mean nothing here.
        let known = Set(SubmitRequest.CodingKeys.allCases.map(\.rawValue)).union([
            "job_id", "entrypoint_resources", "entrypoint_label_selector",
        ])
        let unknown = try HeadJSON.decode(Keys.self, from: body).names.filter { !known.contains($0) }
        guard unknown.isEmpty else {
            throw HeadFailure(
                400, "unknown_field",
                "unknown field '\(unknown.sorted()[0].prefix(64))'; known are "
                    + known.sorted().joined(separator: ", "))
        }
    }

    private func invalid(_ field: String, _ reason: String) -> HeadFailure {
        HeadFailure(400, "invalid_field", "\(field) \(reason)")
    }
}

extension JobID {
    /// `manta_` and 16 characters that cannot be mistaken for each other.
    package static func random() -> JobID {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ123456789")
        let tail = String((0..<16).compactMap { _ in alphabet.randomElement() })
        guard let id = JobID(rawValue: "manta_\(tail)") else { preconditionFailure("valid by form") }
        return id
    }
}
