import Hummingbird
import Jobs

/// The tasks of a job.
extension HeadRoutes {
    /// Tasks of one list, and of one with the last lines of every attempt.
    static let tasksMax = 10_000
    static let deadTasksMax = 500

    func addTasks(to router: Router<BasicRequestContext>) {
        router.get("api/jobs/:id/tasks") { request, context in try await tasks(request, context) }
        router.post("api/jobs/:id/tasks/:task/retry") { _, context in
            let task = try await task(context)
            return try answer(try await store.retry(task: task.spec.id), task)
        }
        router.post("api/jobs/:id/tasks/:task/stop") { request, context in
            let task = try await task(context)
            let asker = try await asker(of: request)
            return try answer(try await store.cancelTask(task.spec.id, by: asker), task)
        }
    }

    /// `?state=dead`: those that failed for good, with the last lines of their attempts.
    private func tasks(_ request: Request, _ context: BasicRequestContext) async throws -> Response
    {
        let id = try await job(context).spec.id
        switch request.uri.queryParameters.get("state") {
        case nil:
            let tasks = try await store.tasks(of: id, limit: HeadRoutes.tasksMax)
            return HeadJSON.response(tasks.map { TaskDetails($0) })
        case "dead":
            let tasks = try await store.deadTasks(of: id, limit: HeadRoutes.deadTasksMax)
            return HeadJSON.response(tasks.map { TaskDetails($0, withLines: true) })
        case let other?:
            throw HeadFailure(
                400, "invalid_field",
                "state '\(other.prefix(64))' is not known; take dead, or leave it out")
        }
    }

    private func task(_ context: BasicRequestContext) async throws -> TaskRecord {
        let reference = TaskReference(
            job: try await job(context).spec.id, encoded: context.parameters.get("task") ?? "")
        return try await reference.resolve(in: store)
    }

    private func answer(_ after: TaskRecord?, _ before: TaskRecord) throws -> Response {
        guard let after else {
            throw HeadFailure(404, "not_found", "Task \(before.spec.id) is no longer kept")
        }
        return HeadJSON.response(TaskDetails(after, withLines: true))
    }
}
