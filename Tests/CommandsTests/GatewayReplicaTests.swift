import Foundation
import Glibc
import HTTPClient
import Processes
import Testing

@testable import Commands

/// A real gateway whose replicas are real processes.
@Suite(.serialized) struct GatewayReplicaTests {
    private let place: TestPlace
    private let manta: MantaProgram

    init() async throws {
        place = try TestPlace()
        manta = MantaProgram(place: place)
        try place.writeTable()
        let said = try await manta(
            "train", "--data", "data.csv", "--target", "y", "--param", "trees=12", "--model",
            "models/One/1")
        try #require(said.code == 0, "\(said)")
    }

    /// What `/health` says of the replicas.
    private struct Health {
        let status: Int
        let ready: Int
        let pids: [Int32]
        let replaced: Int
    }

    /// A gateway that runs for the time of a test.
    private struct Running {
        let child: ChildProcess
        let port: Int
        let log: String

        var url: String { "http://127.0.0.1:\(port)" }

        func health() async -> Health? {
            let request = HTTPRequest(.get, url + "/health", timeout: .seconds(5))
            guard let reply = try? await HTTPClient().send(request),
                let json = try? JSONSerialization.jsonObject(with: Data(reply.body))
                    as? [String: Any]
            else { return nil }
            let replicas = json["replicas"] as? [String: Any]
            return Health(
                status: reply.status, ready: replicas?["ready"] as? Int ?? 0,
                pids: (replicas?["pids"] as? [Int] ?? []).map(Int32.init),
                replaced: replicas?["replaced"] as? Int ?? 0)
        }

        /// Predictions at a fixed rate.
        func load(rate: Double, seconds: Double) throws -> LoadTest {
            let address = try LoadAddress(url + "/predict")
            let body = #"{"features": [[0.1, 0.2, 0.3, 0.4]]}"#
            let head =
                "POST /predict HTTP/1.1\r\nHost: localhost\r\n"
                + "Content-Length: \(body.utf8.count)\r\n"
            return LoadTest(
                address: address, request: Array((head + "\r\n" + body).utf8), connectionCount: 8,
                schedule: ArrivalSchedule(
                    ratePerSecond: rate, duration: .seconds(seconds), spacing: .even),
                warmUp: .zero, timeoutInSeconds: 60)
        }
    }

    private func with(
        _ options: [String], ready: Int, _ body: (Running) async throws -> Void
    ) async throws {
        var taken: Set<Int> = []
        let port = try FreePort.from(Int.random(in: 20_000..<29_000), taken: &taken)
        let ops = try FreePort.from(port + 1, taken: &taken)
        let child = try manta.start(
            [
                "gateway", "--port", "\(port)", "--ops-port", "\(ops)", "--model-directory",
                "models", "--model", "One", "--state-dir", place.path + "/state",
            ] + options, saying: place.path + "/gateway")
        let running = Running(child: child, port: port, log: place.path + "/gateway.err")
        defer { child.signal(SIGKILL) }
        let isUp = await eventually {
            let health = await running.health()
            return health?.status == 200 && health?.ready == ready
        }
        let said = (try? String(contentsOfFile: running.log, encoding: .utf8)) ?? ""
        try #require(isUp, "\(said)")
        try await body(running)
    }

    private func eventually(_ condition: () async -> Bool) async -> Bool {
        for _ in 0..<3_000 {
            if await condition() { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    private func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

    @Test(
        "kill -9 of replicas under load fails no request, and they are replaced", arguments: [1, 2])
    func kills(_ count: Int) async throws {
        try await with(["--replicas", "\(count)"], ready: count) { gateway in
            let test = try gateway.load(rate: 200, seconds: 4)
            async let outcome = test.run()
            var killed: Set<Int32> = []
            for round in 1...2 {
                try await Task.sleep(for: .milliseconds(500))
                let health = await gateway.health()
                let victim = try #require(health?.pids.first)
                killed.insert(victim)
                kill(victim, SIGKILL)
                #expect(
                    await eventually {
                        let now = await gateway.health()
                        return now?.ready == count && now?.replaced == round
                            && now?.pids.contains(victim) == false
                    })
            }
            let result = await outcome
            #expect(result.statuses == [200: 800], "\(result.statuses) \(result.failures)")
            #expect(killed.count == 2)
        }
    }

    @Test("From zero, parked requests are answered, and metrics say what there is")
    func fromZero() async throws {
        let options = ["--min-replicas", "0", "--max-replicas", "2", "--max-ongoing-requests", "4"]
        try await with(options, ready: 0) { gateway in
            #expect(await eventually { await gateway.health()?.pids == [] })
            let outcome = await (try gateway.load(rate: 50, seconds: 0.4)).run()
            #expect(outcome.statuses == [200: 20], "\(outcome.statuses) \(outcome.failures)")
            #expect(await gateway.health()?.pids.count == 1)
            let reply = try await HTTPClient().send(
                HTTPRequest(.get, gateway.url + "/metrics", timeout: .seconds(5)))
            let labels = "deployment=\"ModelServer\",application=\"default\""
            for line in [
                "manta_replicas{state=\"ready\"} 1", "manta_replicas_desired 1",
                "manta_predicted_rows_total 20",
                "ray_serve_autoscaling_target_replicas{\(labels)} 1",
            ] {
                #expect(reply.bodyText.contains(line), "\(line)")
            }
        }
    }

    @Test("Replicas end with their gateway, however it ends", arguments: [SIGKILL, SIGTERM])
    func death(_ signal: Int32) async throws {
        try await with(["--replicas", "2"], ready: 2) { gateway in
            let pids = try #require(await gateway.health()?.pids)
            #expect(pids.count == 2 && pids.allSatisfy(isAlive))
            kill(gateway.child.pid, signal)
            let exit = await gateway.child.wait()
            #expect(exit == (signal == SIGTERM ? .code(0) : .signal(SIGKILL)))
            #expect(await eventually { !pids.contains(where: isAlive) })
        }
    }

    @Test("After SIGTERM every reply is a prediction still, and the gateway ends with code 0")
    func drain() async throws {
        try await with(["--replicas", "1"], ready: 1) { gateway in
            let test = try gateway.load(rate: 400, seconds: 1.5)
            async let outcome = test.run()
            try await Task.sleep(for: .milliseconds(700))
            kill(gateway.child.pid, SIGTERM)
            #expect(await gateway.child.wait() == .code(0))
            let result = await outcome
            // Who comes when nobody listens any more is refused, or reset in the backlog.
            #expect(result.statuses.keys.sorted() == [200], "\(result.statuses)")
            #expect(
                result.failures.keys.allSatisfy {
                    $0.hasPrefix("cannot connect") || $0 == "connection broken"
                },
                "\(result.failures)")
        }
    }

    @Test("Options that contradict each other are refused")
    func options() async throws {
        for wrong in [
            ["--replicas", "0"], ["--replicas", "many"], ["--max-ongoing-requests", "3"],
            ["--replicas", "2", "--max-replicas", "3"],
            ["--max-replicas", "2", "--min-replicas", "3"],
            ["--max-replicas", "2", "--upscale-delay-s", "-1"],
            ["--max-replicas", "2", "--aggregation-function", "median"],
        ] {
            let said = try await manta.run(["gateway", "--model-directory", "models"] + wrong)
            #expect(said.code != 0 && !said.err.isEmpty, "\(wrong)")
        }
        #expect(try await manta("replica").code == 2, "a replica has a gateway")
    }
}
