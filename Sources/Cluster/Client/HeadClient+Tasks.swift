import Foundation
import HTTPClient
package import Jobs

/// Reasons, retries, tasks and schedules.
extension HeadClient {
    package func why(_ id: String) async throws -> JobExplanation {
        try decode(await send(.get, "/api/jobs/\(path(id))/why"))
    }

    /// Workers, and what runs and waits.
    package func clusterLoad() async throws -> ClusterDetails {
        try decode(await send(.get, "/api/cluster/load"))
    }

    /// Begins a new life of a job that failed or was stopped.
    package func retry(_ id: String) async throws -> RetryReply {
        try decode(await send(.post, "/api/jobs/\(path(id))/retry", body: .bytes([])))
    }

    // MARK: Tasks

    package func tasks(of id: String) async throws -> [TaskDetails] {
        try decode(await send(.get, "/api/jobs/\(path(id))/tasks"))
    }

    /// Those that failed for good, with the last lines of their attempts.
    package func deadTasks(of id: String) async throws -> [TaskDetails] {
        try decode(await send(.get, "/api/jobs/\(path(id))/tasks?state=dead"))
    }

    /// - Parameter task: as `TaskDetails.shortID` or `id`.
    package func retry(task: String, of id: String) async throws -> TaskDetails {
        try await change(task, of: id, "retry", body: .bytes([]))
    }

    /// - Parameter task: as `TaskDetails.shortID` or `id`.
    package func stop(task: String, of id: String) async throws -> TaskDetails {
        try await change(task, of: id, "stop", body: try stopBody())
    }

    private func change(
        _ task: String, of id: String, _ verb: String, body: HTTPRequest.Body
    ) async throws -> TaskDetails {
        try decode(
            await send(
                .post, "/api/jobs/\(path(id))/tasks/\(path(task))/\(verb)", body: body))
    }

    // MARK: Schedules

    package func schedules() async throws -> [ScheduleDetails] {
        try decode(await send(.get, "/api/schedules"))
    }

    /// Adds a schedule or replaces the one of this name; safe to repeat.
    package func put(
        schedule name: String, _ request: ScheduleRequest
    ) async throws -> ScheduleDetails {
        let body = try JSONEncoder().encode(request)
        return try decode(
            await send(.put, "/api/schedules/\(path(name))", body: .bytes(Array(body))))
    }

    package func deleteSchedule(_ name: String) async throws {
        _ = try await send(.delete, "/api/schedules/\(path(name))")
    }
}
