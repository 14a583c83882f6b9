import Foundation

/// What decides whether a worker can take a task. Tasks of one shape share a queue, so that a
/// worker without a GPU never walks past ten thousand tasks that need one.
struct TaskShape: Hashable, Sendable {
    let kind: NewTask.Kind
    let resources: Resources
    let labels: Set<String>
    let pool: String

    init(_ task: NewTask) {
        kind = task.kind
        resources = task.resources
        labels = task.labels
        pool = task.pool
    }

    /// Whether what is left of a worker, as `offer.free` says, takes a task of this shape.
    func fits(_ offer: ClaimRequest) -> Bool {
        resources.fits(in: offer.free) && labels.isSubset(of: offer.labels)
            && offer.pools.contains(pool) && (kind == .task || offer.driverSlots > 0)
    }
}

/// A shape as it stands in Redis: `kind;milliCPUs;memory;gpus;label,label`, and where there are
/// custom resources or another pool than the default one, `;name*amount,name*amount;pool`.
extension TaskShape {
    var text: String {
        let numbers = "\(resources.milliCPUs);\(resources.memoryInBytes);\(resources.gpus)"
        let start = "\(kind.rawValue);\(numbers);\(TaskShape.text(of: labels))"
        let isUsual = resources.custom.isEmpty && pool == Pool.defaultName
        return isUsual ? start : "\(start);\(TaskShape.text(of: resources.custom));\(pool)"
    }

    /// Answers nil for a text that `text` cannot have made.
    init?(text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count == 5 || parts.count == 7,
            let kind = NewTask.Kind(rawValue: String(parts[0])),
            let milliCPUs = Int(parts[1]), let memory = Int64(parts[2]), let gpus = Int(parts[3])
        else { return nil }
        var labels: Set<String> = []
        for label in parts[4].split(separator: ",") {
            guard let label = String(label).removingPercentEncoding else { return nil }
            labels.insert(label)
        }
        var custom: [String: Int] = [:]
        for entry in parts.count == 7 ? parts[5].split(separator: ",") : [] {
            let halves = entry.split(separator: "*")
            guard halves.count == 2, let name = String(halves[0]).removingPercentEncoding,
                let amount = Int(halves[1])
            else { return nil }
            custom[name] = amount
        }
        self.kind = kind
        self.labels = labels
        resources = Resources(
            milliCPUs: milliCPUs, memoryInBytes: memory, gpus: gpus, custom: custom)
        pool = parts.count == 7 ? String(parts[6]) : Pool.defaultName
    }

    /// Labels in order, joined by commas; what is not plain is percent-encoded.
    static func text(of labels: Set<String>) -> String {
        labels.sorted().map(escaped).joined(separator: ",")
    }

    /// Custom resources in order: `name*thousandths`, joined by commas.
    static func text(of custom: [String: Int]) -> String {
        custom.sorted { $0.key < $1.key }.map { "\(escaped($0.key))*\($0.value)" }
            .joined(separator: ",")
    }

    private static func escaped(_ label: String) -> String {
        label.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }

    private static let plain = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/=@+")
}

/// Writes the shapes of tasks in a row that are alike once.
struct ShapeTexts {
    private var last: (shape: TaskShape, text: String)?

    mutating func text(of task: NewTask) -> String {
        let shape = TaskShape(task)
        if let last, last.shape == shape { return last.text }
        let text = shape.text
        last = (shape, text)
        return text
    }
}
