import Foundation
import Jobs

/// The fields that say where and when a job runs.
extension Submission {
    /// Nil when nothing bounds the job.
    func deadlines() throws -> Deadlines? {
        let deadlines = Deadlines(
            scheduleToStart: try milliseconds(
                request.scheduleToStartInSeconds, "schedule_to_start_s"),
            scheduleToClose: try milliseconds(request.timeoutInSeconds, "timeout_s"))
        return deadlines.isEmpty ? nil : deadlines
    }

    private func milliseconds(_ seconds: Double?, _ field: String) throws -> Int64? {
        guard let seconds else { return nil }
        guard (0.001...Double(Deadlines.max / 1_000)).contains(seconds) else {
            throw invalid(field, "must be in 0.001...\(Deadlines.max / 1_000) seconds")
        }
        return Int64((seconds * 1_000).rounded())
    }

    /// Nil for the default pool, so that naming it makes no other job.
    func pool() throws -> String? {
        guard let name = request.pool, name != Pool.defaultName else { return nil }
        guard Pool.isValid(name) else {
            throw invalid("pool", "must match [A-Za-z0-9][A-Za-z0-9._-]{0,63}")
        }
        return name
    }

    /// Whether the jobs are known is the store's to say.
    func after() throws -> [JobID]? {
        guard let names = request.after, !names.isEmpty else { return nil }
        guard names.count <= StoreLimits().afterMax else {
            throw invalid("after", "names more than \(StoreLimits().afterMax) jobs")
        }
        return try names.map { name in
            guard let id = JobID(rawValue: name) else {
                throw invalid("after", "names '\(name.prefix(128))', which is no submission id")
            }
            return id
        }
    }

    /// In thousandths. What has a field of its own is refused here.
    func customResources() throws -> [String: Int] {
        let field = "entrypoint_resources"
        let asked = (request.resources ?? [:]).filter { $0.value != 0 }
        let fields = [
            "CPU": "entrypoint_num_cpus", "GPU": "entrypoint_num_gpus",
            "memory": "entrypoint_memory",
        ]
        for (name, amount) in asked {
            if let own = fields[name] { throw invalid("\(field).\(name)", "is \(own)") }
            guard (1...64).contains(name.utf8.count), (0.001...1_000_000).contains(amount) else {
                throw invalid(
                    "\(field).\(name.prefix(64))",
                    "must have a name of 1 to 64 bytes and be in 0.001...1000000")
            }
        }
        guard asked.count <= 16 else { throw invalid(field, "has more than 16 entries") }
        return asked.mapValues { Int(($0 * 1_000).rounded()) }
    }

    /// A script runs where there is a toolchain.
    func labels() throws -> Set<String> {
        var labels: Set<String> = request.script == nil ? [] : [JobSDK.label]
        for (key, value) in request.labelSelector ?? [:] {
            let field = "entrypoint_label_selector.\(key.prefix(64))"
            // Ray's "!a" and "in(a, b)".
            guard !value.hasPrefix("!"), !value.contains("(") else {
                throw invalid(field, "must name one value; operators are not known here")
            }
            guard !key.isEmpty, key.utf8.count + value.utf8.count < 128 else {
                throw invalid(field, "must have 1 to 128 bytes together with its value")
            }
            labels.insert("\(key)=\(value)")
        }
        guard labels.count <= 32 else {
            throw invalid("entrypoint_label_selector", "has more than 31 entries")
        }
        return labels
    }
}
