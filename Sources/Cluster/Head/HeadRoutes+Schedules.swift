import Hummingbird
import Jobs

/// Jobs that are submitted by the clock.
extension HeadRoutes {
    func addSchedules(to router: Router<BasicRequestContext>) {
        router.get("api/schedules") { _, _ in
            HeadJSON.response(try await store.schedules().map { ScheduleDetails($0) })
        }
        router.get("api/schedules/:name") { _, context in
            let name = try name(context)
            guard
                let record = try await store.schedules().first(where: { $0.schedule.name == name })
            else { throw noSchedule(name) }
            return HeadJSON.response(ScheduleDetails(record))
        }
        router.put("api/schedules/:name") { request, context in
            try await putSchedule(request, context)
        }
        router.delete("api/schedules/:name") { _, context in
            let name = try name(context)
            guard try await store.deleteSchedule(name) else { throw noSchedule(name) }
            return HeadJSON.response(["deleted": true])
        }
    }

    private func putSchedule(
        _ request: Request, _ context: BasicRequestContext
    ) async throws -> Response {
        let name = try name(context)
        let body = try await body(of: request)
        try SubmissionFields.check(schedule: body)
        var wanted = try HeadJSON.decode(ScheduleRequest.self, from: body)
        guard wanted.job.submissionID == nil else {
            throw HeadFailure(
                400, "invalid_field",
                "job.submission_id must be left out: each fire's id is made of the schedule's name")
        }
        guard wanted.job.after?.isEmpty ?? true else {
            throw HeadFailure(
                400, "invalid_field", "job.after must be left out: a fire comes after no other job")
        }
        do { _ = try CronExpression(wanted.cron) } catch {
            throw HeadFailure(400, "invalid_field", "cron: \(error)")
        }
        // The same body must be the same schedule, so nothing in it is made by chance.
        wanted.job.submissionID = name
        let job = try await Submission(wanted.job).newJob(blobs: blobs)
        let record = try await store.put(Schedule(name: name, cron: wanted.cron, job: job))
        schedules.wake()
        return HeadJSON.response(ScheduleDetails(record))
    }

    private func name(_ context: BasicRequestContext) throws -> String {
        let name = context.parameters.get("name") ?? ""
        guard Pool.isValid(name) else {
            throw HeadFailure(
                400, "invalid_field",
                "a schedule's name must match [A-Za-z0-9][A-Za-z0-9._-]{0,63}")
        }
        return name
    }

    private func noSchedule(_ name: String) -> HeadFailure {
        HeadFailure(
            404, "not_found",
            "Schedule \(name) does not exist; `job schedules` lists those there are")
    }
}
