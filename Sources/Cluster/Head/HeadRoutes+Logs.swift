import HTTPTypes
import Hummingbird
import Jobs
import NIOCore

/// What jobs print, and following them.
extension HeadRoutes {
    func addLogs(to router: Router<BasicRequestContext>) {
        router.get("api/jobs/:id/logs") { _, context in try await logs(context) }
        router.get("api/jobs/:id/events") { request, context in
            try await follow(request, context)
        }
    }

    private func logs(_ context: BasicRequestContext) async throws -> Response {
        let id = try await job(context).spec.id
        var text = ""
        var cursor: LogCursor?
        while true {
            let page = try await store.logs(of: id, after: cursor, limit: 2_000)
            for line in page.lines { text += line.display }
            guard let next = page.next, !page.lines.isEmpty else { break }
            cursor = next
        }
        return HeadJSON.response(["logs": text])
    }

    /// Newline-separated `JobEvent`s until the job is over; `?after=` resumes, `?follow=0` ends at
    /// once.
    private func follow(_ request: Request, _ context: BasicRequestContext) async throws -> Response
    {
        let id = try await job(context).spec.id
        let after = request.uri.queryParameters.get("after").map { LogCursor(rawValue: String($0)) }
        let follows = request.uri.queryParameters.get("follow") != "0"
        guard await events.followerCount < JobEvents.followersMax else {
            throw HeadFailure(503, "full", "\(JobEvents.followersMax) logs are followed already")
        }
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { [events] writer in
                try await events.follow(id, after: after, follows: follows) { batch in
                    var buffer = ByteBuffer()
                    for event in batch {
                        var line = HeadJSON.buffer(event)
                        buffer.writeBuffer(&line)
                        buffer.writeString("\n")
                    }
                    try await writer.write(buffer)
                }
                try await writer.finish(nil)
            })
    }
}

extension LogLine {
    /// As `job logs` prints it.
    package var display: String { prefix + text + (endsWithLineFeed ? "\n" : "") }
}
