/// The name of a job, chosen by the submitter or made by the head.
///
/// A submission id is also its idempotency key: the same id with the same body answers as before.
package struct JobID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    /// Answers nil unless `rawValue` matches `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
    package init?(rawValue: String) {
        guard JobID.isValid(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    package var description: String { rawValue }

    private static func isValid(_ text: String) -> Bool {
        guard (1...128).contains(text.utf8.count), let first = text.utf8.first else { return false }
        return isAlphanumeric(first)
            && text.utf8.dropFirst().allSatisfy {
                isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: "-")
            }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// The name of one task of a job.
///
/// It is derived from what the task is: (job, task name, SHA-256 of the input, occurrence). A
/// restarted driver that asks for the same work therefore finds the work that was already done.
package struct TaskID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    /// The task that runs the job's entrypoint.
    package static func driver(of job: JobID) -> TaskID {
        TaskID(rawValue: "\(job.rawValue)/driver")
    }

    /// - Parameters:
    ///   - inputDigest: lower-case hex SHA-256 of the input's bytes.
    ///   - occurrence: 0 for the first time this job asks for (name, input), 1 for the second, …
    package static func task(
        of job: JobID, name: String, inputDigest: String, occurrence: Int
    ) -> TaskID {
        TaskID(rawValue: "\(job.rawValue)/\(name)/\(inputDigest)/\(occurrence)")
    }

    package var description: String { rawValue }
}

/// The name of a worker process; new at every start, so that a restarted worker owns no old lease.
package struct WorkerID: RawRepresentable, Hashable, Sendable, Codable, CustomStringConvertible {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }
}
