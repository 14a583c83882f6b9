import Testing

@testable import Jobs

/// What tells a store that went back in time from a lease that merely ended.
@Suite struct StoreMemoryTests {
    private let held = WorkerLife.Attempt(
        lease: Lease(
            task: TaskID(rawValue: "a/t"), worker: WorkerID(rawValue: "w-1"), token: 70, expiry: 0),
        job: .a, kind: .task,
        resources: Resources(), deadline: nil, number: 2, life: 1,
        queue: WorkerQueue(makeTask("t", job: "a")))

    private let other = Lease(
        task: TaskID(rawValue: "a/t"), worker: WorkerID(rawValue: "w-2"), token: 80, expiry: 0)

    private func record(
        _ state: TaskState, attempt: Int, history: [Int] = [], life: Int = 1
    ) -> TaskRecord {
        var record = TaskRecord(
            spec: makeTask("t", job: "a"), state: state, attempt: attempt,
            history: history.map {
                AttemptRecord(
                    number: $0, worker: WorkerID(rawValue: "w-1"), cause: "lost", endedAt: 0)
            }, createdAt: 0)
        record.life = life
        return record
    }

    @Test("A grant that left no trace was forgotten")
    func forgotten() {
        #expect(record(.waiting(notBefore: 0), attempt: 1, history: [1]).hasForgotten(held))
        #expect(record(.waiting(notBefore: 0), attempt: 2, history: [1]).hasForgotten(held))
        #expect(record(.running(other), attempt: 2, history: [1]).hasForgotten(held))
    }

    @Test("A grant that ended, was followed by another or belongs to an earlier life was not")
    func remembered() {
        #expect(!record(.waiting(notBefore: 0), attempt: 2, history: [1, 2]).hasForgotten(held))
        #expect(!record(.running(other), attempt: 3, history: [1, 2]).hasForgotten(held))
        #expect(!record(.running(held.lease), attempt: 2, history: [1]).hasForgotten(held))
        #expect(!record(.succeeded(.inline([])), attempt: 2).hasForgotten(held))
        #expect(!record(.cancelled(by: "x"), attempt: 2).hasForgotten(held))
        #expect(!record(.waiting(notBefore: 0), attempt: 0, life: 2).hasForgotten(held))
    }
}
