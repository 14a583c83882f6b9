/// Tasks that are granted ahead of a slot: see `AheadOffer`.
extension ClaimRequest {
    /// Whether one of the offers takes this task, which fits into nothing that is free.
    func mayTakeAhead(_ task: TaskRecord) -> Bool {
        guard task.spec.kind == .task, task.attempt == 0, task.spec.deadlines == Deadlines() else {
            return false
        }
        return index(for: task.spec).map { ahead[$0].count > 0 } ?? false
    }

    /// Counts a task that was granted by an offer.
    mutating func takeAhead(_ task: NewTask) {
        if let index = index(for: task) { ahead[index].count -= 1 }
    }

    private func index(for task: NewTask) -> Int? {
        guard !ahead.isEmpty else { return nil }
        let shape = TaskShape(task).text
        return ahead.firstIndex { $0.job == task.job && $0.shape == shape }
    }
}
