/// Which tasks ended, in their order.
extension JobShelf {
    func ended(of job: JobID, from start: Int?, limit: Int) -> EndedTasks {
        guard let job = jobs[job] else { return EndedTasks(tasks: [], next: 0) }
        guard let start else { return EndedTasks(tasks: [], next: job.ends.count) }
        let first = (0...job.ends.count).contains(start) ? start : 0
        let ids = job.ends[first...].prefix(max(0, min(limit, EndedTasks.tasksMax)))
        let tasks = ids.compactMap { id -> EndedTasks.End? in
            guard let task = job.tasks[id] else { return nil }
            if case .succeeded(let payload) = task.state { return .succeeded(id, payload) }
            return .other(task)
        }
        return EndedTasks(tasks: tasks, next: first + ids.count)
    }
}

extension JobShelf.Job {
    /// Where a job ends, the tasks that waited go without a word.
    mutating func noteEnd(of task: TaskRecord, was old: TaskRecord?) {
        guard task.spec.kind == .task else { return }
        switch (old?.state, record.state) {
        case (.running, _), (_, .active): ends.append(task.spec.id)
        default: break
        }
    }
}
