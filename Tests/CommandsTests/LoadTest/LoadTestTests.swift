import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Commands

@Suite struct LoadTestTests {
    private static func test(
        _ url: String, rate: Double, seconds: Double, connections: Int, warmUp: Duration = .zero,
        timeout: Int = 20
    ) throws -> LoadTest {
        let address = try LoadAddress(url)
        let text = "GET \(address.target) HTTP/1.1\r\nHost: \(address.authority)\r\n\r\n"
        return LoadTest(
            address: address, request: Array(text.utf8), connectionCount: connections,
            schedule: ArrivalSchedule(
                ratePerSecond: rate, duration: .seconds(seconds), spacing: .even),
            warmUp: warmUp, timeoutInSeconds: timeout)
    }

    @Test("A pause of the server is charged to all who were due in it, not to one alone")
    func coordinatedOmission() async throws {
        let count = Atomic<Int>(0)
        let server = try TestHTTPServer { _ in
            let number = count.add(1, ordering: .relaxed).newValue
            let reply = TestHTTPServer.Reply.answer(200, "ok")
            guard number == 20 else { return reply }
            return .init([.wait(.seconds(1))] + reply.steps)
        }
        defer { server.stop() }
        let outcome = await (try Self.test(server.url, rate: 200, seconds: 2, connections: 1)).run()
        #expect(outcome.statuses == [200: 400] && outcome.failures.isEmpty)
        // Two hundred were due in that second: half of them waited more than half of it.
        let late = outcome.latency.parts.filter { $0.range.lowerBound > 500_000_000 }
            .reduce(0) { $0 + $1.count }
        #expect(late >= 90, "\(late)")
        let slow = outcome.serviceTime.parts.filter { $0.range.lowerBound > 500_000_000 }
        #expect(slow.reduce(0) { $0 + $1.count } >= 1)
        #expect(
            (outcome.latency.value(atPercent: 75) ?? 0)
                > (outcome.serviceTime.value(atPercent: 75) ?? 0))
    }

    @Test("Statuses are counted apart, chunks are read, closed connections are opened anew")
    func replies() async throws {
        let count = Atomic<Int>(0)
        let server = try TestHTTPServer { _ in
            switch count.add(1, ordering: .relaxed).newValue % 4 {
            case 0: .answer(503, "no")
            case 1:
                .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
            case 2:
                .raw(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
                    then: .close)
            default: .raw("HTTP/1.0 200 OK\r\n\r\nto the end", then: .close)
            }
        }
        defer { server.stop() }
        let outcome = await (try Self.test(server.url, rate: 400, seconds: 0.5, connections: 2))
            .run()
        #expect(outcome.statuses == [200: 150, 503: 50], "\(outcome.statuses)")
        #expect(outcome.failures.isEmpty, "\(outcome.failures)")
        #expect(outcome.latency.count == 200)
    }

    @Test("What has no reply is counted by reason and has no latency")
    func failures() async throws {
        let server = try TestHTTPServer { request in
            request.path == "/reset" ? .init([.reset]) : .raw("nonsense\r\n\r\n", then: .close)
        }
        defer { server.stop() }
        let reset = await
            (try Self.test(server.url + "/reset", rate: 100, seconds: 0.2, connections: 2)).run()
        #expect(reset.failures == ["connection broken": 20] && reset.statuses.isEmpty)
        let other = await (try Self.test(server.url, rate: 100, seconds: 0.2, connections: 1)).run()
        #expect(other.failures == ["not HTTP": 20])
        #expect(other.latency.count == 0)
    }

    @Test("Requests of the warm-up are sent and not counted")
    func warmUp() async throws {
        let server = try TestHTTPServer { _ in .answer(200, "ok") }
        defer { server.stop() }
        let test = try Self.test(
            server.url, rate: 100, seconds: 1, connections: 2, warmUp: .milliseconds(500))
        let outcome = await test.run()
        #expect(outcome.answeredCount == 50 && server.requests.count == 100)
    }

    @Test("The command prints figures, a chart or JSON, and fails when a request did")
    func command() async throws {
        let place = try TestPlace()
        let manta = MantaProgram(place: place)
        let server = try TestHTTPServer { request in
            request.bodyText == "{}" && request.method == "POST"
                && request.headers["x-a"] == "b" && request.target == "/p?q=1"
                ? .answer(200, "ok") : .answer(500, "no")
        }
        defer { server.stop() }
        let url = server.url + "/p?q=1"
        let usual = [
            "load-test", url, "--rate", "100", "--duration", "300ms", "--connections", "2",
            "--data", "{}", "--header", "X-A: b",
        ]
        let said = try await manta.run(usual)
        #expect(said.code == 0, "\(said)")
        #expect(said.out.contains("replies: 30 × 200") && said.out.contains("█"))
        #expect(said.out.contains("p99.9"))
        let json = try (await manta.run(usual + ["--json", "--arrivals", "poisson"])).json()
        #expect((json["latency_ms"] as? [String: Double])?["p99.9"] != nil)
        #expect((json["statuses"] as? [String: Int])?.keys.map { $0 } == ["200"])
        let bad = try await manta.run(usual + ["--method", "PUT"])
        #expect(bad.code == 1 && bad.out.contains("30 × 500"))
        for wrong in [["--rate", "0"], ["--connections", "0"], ["--duration", "5"]] {
            #expect(try await manta.run(usual + wrong).code == 2)
        }
        #expect(try await manta("load-test", "https://localhost/").code == 2)
        #expect(
            try await manta("load-test", "http://127.0.0.1:1/", "--duration", "100ms").code == 1)
    }
}
