import Foundation
package import Jobs
import NIOCore

/// A submission's body, checked field by field before anything is stored.
struct Submission {
    let request: SubmitRequest

    static let environmentMax = 256
    static let textMax = 64 << 10

    init(_ body: ByteBuffer) throws {
        try SubmissionFields.check(body)
        request = try HeadJSON.decode(SubmitRequest.self, from: body)
    }

    init(_ request: SubmitRequest) { self.request = request }

    /// - Throws: `HeadFailure` 400 naming the field, 404 for a blob that was not uploaded.
    func newJob(blobs: any BlobStore) async throws -> NewJob {
        let id = try identifier()
        let environment = request.runtimeEnvironment?.variables ?? [:]
        try check(environment)
        let directory = try request.runtimeEnvironment?.workingDirectory.map(workingDirectory)
        var job = NewJob(
            id: id, entrypoint: try entrypoint(), workingDirectory: directory?.digest,
            environment: environment, metadata: request.metadata ?? [:],
            driverResources: try resources(), driverLabels: try labels(),
            priority: request.priority ?? 0, deadlines: try deadlines(), pool: try pool(),
            after: try after())
        job.workingDirectoryURL = directory?.url
        if let script = request.script {
            try await require(script.digest, "manta_script.digest", blobs)
        }
        // What a URL names is checked by the worker that fetches it.
        if let digest = job.workingDirectory, job.workingDirectoryURL == nil {
            try await require(digest, "runtime_env.working_dir", blobs)
        }
        return job
    }

    private func identifier() throws -> JobID {
        let text = request.submissionID ?? JobID.random().rawValue
        guard let id = JobID(rawValue: text) else {
            throw invalid("submission_id", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,127}")
        }
        return id
    }

    private func entrypoint() throws -> Entrypoint {
        guard !request.entrypoint.isEmpty, request.entrypoint.utf8.count <= Submission.textMax,
            !request.entrypoint.utf8.contains(0)
        else {
            throw invalid(
                "entrypoint", "is empty, longer than \(Submission.textMax) bytes, or has a NUL")
        }
        guard let script = request.script else { return .command(request.entrypoint) }
        let name = (script.fileName as NSString).lastPathComponent
        let isKnown = name.hasSuffix(".swift") || name.hasSuffix(JobCompiler.packageSuffix)
        guard name == script.fileName, isKnown, name.utf8.count <= 128,
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !name.hasPrefix("-")
        else {
            throw invalid(
                "manta_script.file_name",
                "must be a plain name ending in .swift, or in .zip for a package's folder")
        }
        guard script.arguments.reduce(0, { $0 + $1.utf8.count }) <= Submission.textMax,
            !script.arguments.contains(where: { $0.utf8.contains(0) })
        else {
            throw invalid(
                "manta_script.arguments",
                "are longer than \(Submission.textMax) bytes together, or have a NUL")
        }
        return .script(fileName: name, digest: script.digest, arguments: script.arguments)
    }

    private func resources() throws -> Resources {
        let cpus = request.cpus ?? 0
        guard cpus.isFinite, (0...10_000).contains(cpus) else {
            throw invalid("entrypoint_num_cpus", "must be in 0...10000")
        }
        let memory = request.memoryInBytes ?? 0
        guard (0...9e15).contains(memory), memory == memory.rounded() else {
            throw invalid("entrypoint_memory", "must be a whole number of bytes in 0...9e15")
        }
        let gpus = request.gpus ?? 0
        guard gpus.isFinite, (0...1_024).contains(gpus), gpus == gpus.rounded() else {
            throw invalid("entrypoint_num_gpus", "must be a whole number in 0...1024")
        }
        return Resources(
            milliCPUs: Int((cpus * 1_000).rounded()), memoryInBytes: Int64(memory), gpus: Int(gpus),
            custom: try customResources())
    }

    private func check(_ environment: [String: String]) throws {
        guard environment.count <= Submission.environmentMax else {
            throw invalid("env_vars", "has more than \(Submission.environmentMax) entries")
        }
        for (name, value) in environment {
            guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "=")),
                !name.utf8.contains(0), !value.utf8.contains(0),
                name.utf8.count <= 256, value.utf8.count <= Submission.textMax
            else { throw invalid("env_vars.\(name.prefix(64))", "is no environment variable") }
        }
    }

    /// The digest of the zip file, and where it is fetched from when it is no blob.
    private func workingDirectory(_ text: String) throws -> (digest: String, url: String?) {
        let field = "runtime_env.working_dir"
        if PinnedURL.isURL(text) {
            do throws(PinnedURLError) {
                let source = try PinnedURL(text)
                return (source.digest, source.url)
            } catch {
                throw invalid(field, error.reason)
            }
        }
        guard text.hasPrefix("blob://") else {
            throw invalid(
                field,
                "must be blob://<sha256> of an uploaded zip file, or "
                    + "https://<address of a zip file>#sha256=<64 hex digits>")
        }
        return (String(text.dropFirst(7)), nil)
    }

    private func require(_ digest: String, _ field: String, _ blobs: any BlobStore) async throws {
        guard digest.isDigest else { throw invalid(field, "must name 64 lower-case hex digits") }
        guard try await blobs.contains(digest) else { throw BlobStoreError.missing(digest) }
    }

    func invalid(_ field: String, _ reason: String) -> HeadFailure {
        HeadFailure(400, "invalid_field", "\(field) \(reason)")
    }
}

extension JobID {
    /// `manta_` and 16 characters that cannot be mistaken for each other.
    package static func random() -> JobID {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ123456789")
        let tail = String((0..<16).compactMap { _ in alphabet.randomElement() })
        guard let id = JobID(rawValue: "manta_\(tail)") else {
            preconditionFailure("valid by form")
        }
        return id
    }
}
