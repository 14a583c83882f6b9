import Foundation
import Jobs

/// How people name a task: by what `job tasks` lists, "score/3fa9c1d2" – its name and the beginning
/// of its input's digest –, with "/1" behind it for the second call with the same input; by its
/// whole id; or "driver".
struct TaskReference {
    let job: JobID
    let text: String

    /// Digits of the digest that a reference has at least.
    static let digitsMin = 4
    /// Tasks that are looked through for one that is not named by its whole id.
    static let scanMax = 10_000

    /// - Parameter text: as it stands in a URL, percent-encoded.
    init(job: JobID, encoded text: String) {
        self.job = job
        self.text = text.removingPercentEncoding ?? text
    }

    /// - Throws: `HeadFailure` 404 when there is no such task, 409 when there are several.
    func resolve(in store: any JobStore) async throws -> TaskRecord {
        // A task may be called as its job is, so both readings are tried.
        let wholes = ["\(job)/\(text)", text].map { TaskID(rawValue: $0) }
        let own = try await store.tasks(wholes.filter { $0.job == job })
        if let task = own.compactMap({ $0 }).first { return task }
        let tasks = try await store.tasks(of: job, limit: TaskReference.scanMax)
        let found = tasks.filter { matches($0.spec.id) }
        guard let first = found.first else {
            throw HeadFailure(
                404, "not_found",
                "Job \(job) has no task \(text.prefix(160)). `job tasks \(job)` lists its tasks")
        }
        guard found.count == 1 else {
            let names = found.prefix(5).map(\.spec.id.shortForm).joined(separator: ", ")
            throw HeadFailure(
                409, "ambiguous",
                "\(text.prefix(160)) may be \(found.count) tasks of job \(job): \(names)"
                    + (found.count > 5 ? ", …" : "") + ". Give more digits of the one you mean")
        }
        return first
    }

    /// Whether this may name the task. Without an occurrence the first one is meant.
    private func matches(_ id: TaskID) -> Bool {
        guard let parts = TaskParts(id) else { return false }
        let wanted =
            text.hasSuffix("/\(parts.occurrence)")
            ? String(text.dropLast(parts.occurrence.count + 1))
            : parts.occurrence == "0" ? text : ""
        let least = parts.name.utf8.count + 1 + TaskReference.digitsMin
        return wanted.utf8.count >= least && "\(parts.name)/\(parts.digest)".hasPrefix(wanted)
    }
}

/// What a task's id is made of; nil for a driver's. A name may hold slashes.
private struct TaskParts {
    let name: Substring
    let digest: Substring
    let occurrence: Substring

    init?(_ id: TaskID) {
        guard let job = id.job else { return nil }
        let rest = id.rawValue.dropFirst(job.rawValue.count + 1)
        guard let last = rest.lastIndex(of: "/"),
            let middle = rest[..<last].lastIndex(of: "/")
        else { return nil }
        name = rest[..<middle]
        digest = rest[rest.index(after: middle)..<last]
        occurrence = rest[rest.index(after: last)...]
    }
}

extension TaskID {
    /// What lists show: "score/3fa9c1d2", "score/3fa9c1d2/1", "driver".
    package var shortForm: String {
        guard let parts = TaskParts(self) else {
            return rawValue.split(separator: "/", maxSplits: 1).last.map(String.init) ?? rawValue
        }
        let start = "\(parts.name)/\(parts.digest.prefix(8))"
        return parts.occurrence == "0" ? start : "\(start)/\(parts.occurrence)"
    }
}
