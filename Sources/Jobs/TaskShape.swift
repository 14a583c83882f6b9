/// What decides whether a worker can take a task. Tasks of one shape share a queue, so that a worker
/// without a GPU never walks past ten thousand tasks that need one.
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
