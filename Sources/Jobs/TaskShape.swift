import Foundation

/// What decides whether a worker can take a task. Tasks of one shape share a queue, so that a
/// worker without a GPU never walks past ten thousand tasks that need one.
struct TaskShape: Hashable, Sendable {
    let kind: NewTask.Kind
    let resources: Resources
    let labels: Set<String>

    init(_ task: NewTask) {
        kind = task.kind
        resources = task.resources
        labels = task.labels
    }

    /// Whether what is left of a worker takes a task of this shape.
    func fits(free: Resources, driverSlots: Int, labels offered: Set<String>) -> Bool {
        resources.fits(in: free) && labels.isSubset(of: offered)
            && (kind == .task || driverSlots > 0)
    }
}

extension Resources {
    /// What is left after `other` is taken.
    package func minus(_ other: Resources) -> Resources {
        Resources(
            milliCPUs: milliCPUs - other.milliCPUs,
            memoryInBytes: memoryInBytes - other.memoryInBytes, gpus: gpus - other.gpus)
    }
}

/// A shape as it stands in Redis: `kind;milliCPUs;memory;gpus;label,label`.
extension TaskShape {
    var text: String {
        let numbers = "\(resources.milliCPUs);\(resources.memoryInBytes);\(resources.gpus)"
        return "\(kind.rawValue);\(numbers);\(TaskShape.text(of: labels))"
    }

    /// Answers nil for a text that `text` cannot have made.
    init?(text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count == 5, let kind = NewTask.Kind(rawValue: String(parts[0])),
            let milliCPUs = Int(parts[1]), let memory = Int64(parts[2]), let gpus = Int(parts[3])
        else { return nil }
        var labels: Set<String> = []
        for label in parts[4].split(separator: ",") {
            guard let label = String(label).removingPercentEncoding else { return nil }
            labels.insert(label)
        }
        self.kind = kind
        self.labels = labels
        resources = Resources(milliCPUs: milliCPUs, memoryInBytes: memory, gpus: gpus)
    }

    /// Labels in order, joined by commas; what is not plain is percent-encoded.
    static func text(of labels: Set<String>) -> String {
        labels.sorted().map(escaped).joined(separator: ",")
    }

    private static func escaped(_ label: String) -> String {
        label.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }

    private static let plain = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/=@+")
}
