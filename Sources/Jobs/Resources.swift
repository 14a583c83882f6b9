/// What a task needs from the worker that runs it. CPU is counted in thousandths.
package struct Resources: Hashable, Sendable, Codable {
    package var milliCPUs: Int
    package var memoryInBytes: Int64
    package var gpus: Int
    /// Whatever else workers offer, by name ("licence"), in thousandths.
    package var custom: [String: Int]

    package init(
        milliCPUs: Int = 0, memoryInBytes: Int64 = 0, gpus: Int = 0, custom: [String: Int] = [:]
    ) {
        self.milliCPUs = milliCPUs
        self.memoryInBytes = memoryInBytes
        self.gpus = gpus
        self.custom = custom
    }

    package func fits(in free: Resources) -> Bool {
        milliCPUs <= free.milliCPUs && memoryInBytes <= free.memoryInBytes && gpus <= free.gpus
            && custom.allSatisfy { $0.value <= free.custom[$0.key] ?? 0 }
    }

    /// What is left after `other` is taken.
    package func minus(_ other: Resources) -> Resources {
        Resources(
            milliCPUs: milliCPUs - other.milliCPUs,
            memoryInBytes: memoryInBytes - other.memoryInBytes, gpus: gpus - other.gpus,
            custom: other.custom.isEmpty
                ? custom : custom.merging(other.custom) { has, taken in has - taken })
    }
}

extension Resources {
    /// Those of a process that knew no custom resources are read as having none.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        milliCPUs = try fields.decode(Int.self, forKey: .milliCPUs)
        memoryInBytes = try fields.decode(Int64.self, forKey: .memoryInBytes)
        gpus = try fields.decode(Int.self, forKey: .gpus)
        custom = try fields.decodeIfPresent([String: Int].self, forKey: .custom) ?? [:]
    }
}

/// A named part of the cluster: a job is submitted to one, a worker serves one or more.
package enum Pool {
    package static let defaultName = "default"

    /// Whether `name` matches `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
    package static func isValid(_ name: String) -> Bool {
        name.utf8.count <= 64 && JobID(rawValue: name) != nil
    }
}
