import Foundation
import HTTPClient
import Jobs
import Synchronization
import Testing

@testable import Cluster

/// Schedules over HTTP, and heads that fire them.
@Suite struct HeadSchedulesTests {
    @Test("A schedule is put, listed, replaced and deleted")
    func life() async throws {
        let head = try await RunningHead.start()
        let client = head.client()
        #expect(try await client.schedules().isEmpty)
        var job = SubmitRequest(entrypoint: "python train.py")
        job.pool = "gpu"
        job.timeoutInSeconds = 60
        let request = ScheduleRequest(cron: "0 3 * * *", job: job)
        let put = try await client.put(schedule: "nightly", request)
        #expect(put.name == "nightly" && put.cron == "0 3 * * *" && put.pool == "gpu")
        #expect(put.entrypoint == "python train.py" && put.lastFire == nil && put.lastJob == nil)
        let next = try #require(put.nextFire)
        #expect(next % 86_400_000 == 3 * 3_600_000)
        #expect(try await client.put(schedule: "nightly", request) == put, "a repetition")
        _ = try await client.put(schedule: "hourly", ScheduleRequest(cron: "@hourly", job: job))
        #expect(try await client.schedules().map(\.name) == ["hourly", "nightly"])
        #expect(try await head.get("/api/schedules/nightly").status == 200)
        try await client.deleteSchedule("hourly")
        for method in ["GET", "DELETE"] {
            let reply = try await head.send(
                method == "GET" ? .get : .delete, "/api/schedules/hourly")
            #expect(reply.status == 404 && reply.bodyText.contains("job schedules"))
        }
        await head.stop()
    }

    @Test(
        "What is no schedule is refused by name",
        arguments: [
            (#"{"cron": "60 * * * *", "job": {"entrypoint": "x"}}"#, "cron: "),
            (#"{"cron": "* * *", "job": {"entrypoint": "x"}}"#, "five"),
            (#"{"job": {"entrypoint": "x"}}"#, "'cron' is missing"),
            (#"{"cron": "@daily"}"#, "'job' is missing"),
            (#"{"cron": "@daily", "job": {"entrypoint": ""}}"#, "entrypoint is empty"),
            (#"{"cron": "@daily", "job": {"entrypoint": "x", "nam": 1}}"#, "'nam'"),
            (#"{"cron": "@daily", "jobs": {}, "job": {"entrypoint": "x"}}"#, "'jobs'"),
            (
                #"{"cron": "@daily", "job": {"entrypoint": "x", "submission_id": "a"}}"#,
                "submission_id must be left out"
            ),
            (
                #"{"cron": "@daily", "job": {"entrypoint": "x", "after": ["a"]}}"#,
                "after must be left out"
            ),
        ])
    func refusals(_ body: String, _ words: String) async throws {
        let head = try await RunningHead.start()
        let reply = try await head.send(
            .put, "/api/schedules/nightly", body: Array(body.utf8))
        #expect(reply.status == 400 && reply.bodyText.contains(words), "\(reply.bodyText)")
        for name in ["-x", "a%20b", String(repeating: "x", count: 65)] {
            let good = Array(#"{"cron": "@daily", "job": {"entrypoint": "x"}}"#.utf8)
            let reply = try await head.send(.put, "/api/schedules/\(name)", body: good)
            #expect(reply.status == 400, "\(name)")
        }
        #expect(try await head.client().schedules().isEmpty)
        await head.stop()
    }

    @Test("Two heads on one store fire a schedule once, and again at its next time")
    func once() async throws {
        let clock = Mutex<Int64>(1_000_000)
        let store = StoreDouble(InMemoryJobStore(now: { clock.withLock { $0 } }))
        let heads = try await [
            RunningHead.start(store: store), RunningHead.start(store: store),
        ]
        let schedule = try await heads[0].client().put(
            schedule: "often",
            ScheduleRequest(cron: "*/10 * * * *", job: SubmitRequest(entrypoint: "true")))
        #expect(schedule.nextFire == 1_200_000)
        for number in 1...3 {
            clock.withLock { $0 += 600_000 }
            try await eventually("fire \(number) is a job") {
                try await store.jobs(limit: 9).count == number
            }
        }
        // Both had time for another look at what is no longer due.
        try await Task.sleep(for: .milliseconds(600))
        let ids = try await store.jobs(limit: 9).map(\.spec.id.rawValue)
        #expect(
            ids == [
                "often-19700101T0040Z", "often-19700101T0030Z", "often-19700101T0020Z",
            ])
        let listed = try #require(try await heads[1].client().schedules().first)
        #expect(listed.lastJob == ids[0] && listed.lastFire == 2_400_000)
        for head in heads { await head.stop() }
    }

    @Test("A head looks again when something may be due, and after ten seconds at the latest")
    func pauses() {
        #expect(ScheduleLoop.pause(until: nil, at: 5) == .seconds(10))
        #expect(ScheduleLoop.pause(until: 60_000, at: 5) == .seconds(10))
        #expect(ScheduleLoop.pause(until: 60_000, at: 55_000) == .seconds(5))
        #expect(ScheduleLoop.pause(until: 60_000, at: 90_000) == .milliseconds(250))
    }
}
