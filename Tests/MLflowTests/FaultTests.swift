import Foundation
import Synchronization
import TestSupport
import Testing

@testable import MLflow

/// Servers that break, refuse, flood or lie.
@Suite struct FaultTests {
    typealias Reply = TestHTTPServer.Reply
    typealias Request = TestHTTPServer.Request

    private func client(
        _ handler: @escaping @Sendable (Request) -> Reply
    ) throws -> (MLflowClient, TestHTTPServer) {
        let server = try TestHTTPServer(handler)
        return (MLflowClient(try quickConfiguration(server.url)), server)
    }

    private func error(of reply: Reply) async throws -> MLflowError {
        let (client, _) = try client { _ in reply }
        do throws(MLflowError) {
            _ = try await client.run(id: "abc")
        } catch {
            return error
        }
        throw MLflowServer.Failure(description: "It succeeded.")
    }

    @Test("No server: the error says how to start one")
    func unreachable() async throws {
        let (client, server) = try client { _ in .answer() }
        server.stop()
        do throws(MLflowError) {
            _ = try await client.experiment(named: "e")
            Issue.record("It succeeded.")
        } catch {
            #expect(error.kind == .unreachable)
            #expect(error.description.contains("mlflow server"))
            #expect(error.description.contains("(e)"))
        }
    }

    @Test("Error answers of every form become errors that say what to do")
    func errorBodies() async throws {
        let host = try await error(
            of: .answer(403, "Invalid Host header - possible DNS rebinding attack detected"))
        #expect(host.kind == .hostRefused && host.description.contains("--allowed-hosts"))
        let login = try await error(
            of: .answer(401, "<html><head><title>x</title></head><p>You are <b>not</b> in</p>"))
        #expect(login.kind == .unauthenticated && login.message == "You are not in")
        #expect(login.nextStep?.contains("MLFLOW_TRACKING_USERNAME") == true)
        let route = try await error(of: .answer(404, "<!doctype html><h1>Not Found</h1>"))
        #expect(route.kind == .routeMissing && route.message == "Not Found")
        let gone = try await error(
            of: .json(#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no"}"#, status: 404))
        #expect(gone.kind == .notFound && gone.errorCode == "RESOURCE_DOES_NOT_EXIST")
        let silent = try await error(of: .answer(403, ""))
        #expect(silent.kind == .forbidden && silent.message.contains("403"))
        let long = try await error(
            of: .json(#"{"message":"\#(String(repeating: "x", count: 99_999))"}"#, status: 400))
        #expect(long.kind == .invalidValue && long.message.count <= 1001)
        let binary = try await error(
            of: .answer(400, bytes: (0..<5000).map { UInt8(truncatingIfNeeded: $0) }))
        #expect(binary.kind == .invalidValue)
    }

    @Test(
        "An answer that is not MLflow's is an error",
        arguments: [
            "", "nonsense", "[]", #"{"run":3}"#, "{}",
            #"{"run":{"info":{}}}"#,
            #"{"run":{"info":{"run_id":"a","experiment_id":"1","start_time":"x"}}}"#,
        ])
    func badJSON(_ body: String) async throws {
        #expect(try await error(of: .json(body)).kind == .invalidAnswer)
    }

    @Test("A giant answer is cut off")
    func giant() async throws {
        let block = [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20)
        let head = "HTTP/1.1 200 OK\r\nContent-Length: \(64 << 20)\r\n\r\n"
        let reply = Reply(
            [.bytes(Array(head.utf8))] + Array(repeating: .bytes(block), count: 64))
        #expect(try await error(of: reply).kind == .invalidAnswer)
    }

    @Test("A server that stalls or resets is unreachable after the attempts")
    func broken() async throws {
        for reply in [Reply([.reset]), Reply([.close])] {
            let (client, server) = try client { _ in reply }
            #expect(await kind { try await client.run(id: "abc") } == .unreachable)
            #expect(server.requests.count == 4)
        }
        let server = try TestHTTPServer { _ in .raw("HTTP/1.1 200 OK\r\n", then: .waitForClose) }
        var configuration = try quickConfiguration(server.url)
        configuration.timeout = .milliseconds(200)
        configuration.retriesMax = 1
        let slow = MLflowClient(configuration)
        #expect(await kind { try await slow.run(id: "abc") } == .unreachable)
        #expect(server.requests.count == 2)
    }

    @Test("A server that is busy for a moment is asked again")
    func busy() async throws {
        let count = Mutex(0)
        let (client, server) = try client { _ in
            let number = count.withLock {
                $0 += 1
                return $0
            }
            if number < 3 { return .answer(503, headers: ["Retry-After": "0"], "<h1>busy</h1>") }
            return .json(#"{"run":{"info":{"run_id":"abc","experiment_id":"1"}}}"#)
        }
        #expect(try await client.run(id: "abc").id == "abc")
        #expect(server.requests.count == 3)
    }

    @Test("A create without an effect key is sent once, whatever comes back")
    func createOnce() async throws {
        for reply in [Reply([.close]), .answer(503, headers: ["Retry-After": "0"]), .answer(500)] {
            let (client, server) = try client { _ in reply }
            _ = try? await client.createRun(NewRun(experimentID: "1"))
            #expect(server.requests.count == 1)
        }
    }

    @Test("A create whose answer is lost is found again, and not repeated")
    func lostAnswer() async throws {
        let real = try await MLflowServer.shared()
        let port = real.port
        let isBroken = Mutex(true)
        let (client, server) = try client { request in
            let reply = TestHTTPServer.forward(request, toPort: port)
            let isCreate =
                request.path.hasSuffix("runs/create")
                || request.path.hasSuffix("model-versions/create")
            let mustBreak = isCreate && isBroken.withLock { $0 }
            return mustBreak ? Reply([.reset]) : reply
        }
        let name = MLflowServer.unique("lost")
        let experiment = try await client.experiment(named: name)
        let run = try await client.createRun(
            NewRun(experimentID: experiment.id), effectKey: name)
        #expect(try await client.searchRuns(experimentIDs: [experiment.id]).map(\.id) == [run.id])
        _ = try await client.registerModel(named: name)
        let new = NewModelVersion(
            name: name, source: (try #require(run.artifactURI)) + "/m", runID: run.id)
        let version = try await client.createModelVersion(new, effectKey: name)
        #expect(version.version == "1")
        #expect(try await client.searchModelVersions(named: name).count == 1)
        #expect(server.requests.filter { $0.path.hasSuffix("/create") }.count == 4)
        isBroken.withLock { $0 = false }
    }

    @Test("A create that seems lost and arrives late leaves one object")
    func lateCreate() async throws {
        let port = try await MLflowServer.shared().port
        let searches = Mutex(0)
        // The first create is processed, but two searches do not see it yet.
        let (client, _) = try client { request in
            let reply = TestHTTPServer.forward(request, toPort: port)
            if request.path.hasSuffix("runs/create") {
                return searches.withLock { $0 } < 2 ? Reply([.reset]) : reply
            }
            guard request.path.hasSuffix("runs/search") else { return reply }
            let number = searches.withLock {
                $0 += 1
                return $0
            }
            return number <= 2 ? .json("{}") : reply
        }
        let experiment = try await client.experiment(named: MLflowServer.unique("late"))
        let run = try await client.createRun(NewRun(experimentID: experiment.id), effectKey: "k")
        #expect(try await client.searchRuns(experimentIDs: [experiment.id]).map(\.id) == [run.id])
    }

    @Test("On a server without logged models a model is a folder of its run")
    func olderServer() async throws {
        let port = try await MLflowServer.shared().port
        let (client, _) = try client { request in
            if request.path.contains("/logged-models") || request.path.hasSuffix("runs/outputs") {
                return .answer(404, "<!doctype html><h1>Not Found</h1>")
            }
            return TestHTTPServer.forward(request, toPort: port)
        }
        let name = MLflowServer.unique("older")
        var options = RunRecorder.Options()
        options.experiment = name
        options.effectKey = name
        let version = try await withFolder { folder in
            try await RunRecorder(client).run(options) { run in
                let model = try await run.logModel(NewLoggedModel(name: "model")) { info in
                    #expect(info.modelID == nil && info.artifactPath == "model")
                    try write("run_id: \(info.runID)", to: folder + "/MLmodel")
                    return folder
                }
                #expect(model.id == nil && model.status == .ready)
                return try await run.register(model, as: name, aliases: ["champion"])
            }
        }
        #expect(version.source.hasSuffix("/artifacts/model"))
        try await withFolder { folder in
            try await client.downloadModel(version, to: folder + "/m")
            let text = try String(contentsOfFile: folder + "/m/MLmodel", encoding: .utf8)
            #expect(text == "run_id: \(version.runID ?? "")")
        }
    }

    @Test("A version that fails to register, or never gets ready, is an error")
    func registration() async throws {
        let status = Mutex("FAILED_REGISTRATION")
        let (client, _) = try client { request in
            let state = request.method == "POST" ? "PENDING_REGISTRATION" : status.withLock { $0 }
            return .json(
                #"{"model_version":{"name":"m","version":"1","status":"\#(state)","#
                    + #""status_message":"bad files"}}"#)
        }
        let new = NewModelVersion(name: "m", source: "models:/m-1", modelID: "m-1")
        do throws(MLflowError) {
            _ = try await client.createModelVersion(new)
            Issue.record("It succeeded.")
        } catch {
            #expect(
                error.kind == .registrationFailed && error.message == "bad files",
                "\(error)")
        }
        status.withLock { $0 = "PENDING_REGISTRATION" }
        #expect(
            await kind { try await client.createModelVersion(new, readyWithin: .seconds(1)) }
                == .registrationFailed)
        status.withLock { $0 = "READY" }
        #expect(try await client.createModelVersion(new).status == .ready)
    }

    @Test("A page token that never ends does not loop for ever")
    func endlessPages() async throws {
        let count = Mutex(0)
        let (client, server) = try client { _ in
            let number = count.withLock {
                $0 += 1
                return $0
            }
            return .json(#"{"registered_models":[],"next_page_token":"\#(number)"}"#)
        }
        #expect(try await client.registeredModels().isEmpty)
        #expect(server.requests.count == MLflowClient.pageCountMax)
    }

    @Test("Credentials go along, and never into an error")
    func credentials() async throws {
        let server = try TestHTTPServer { _ in .answer(401, "no") }
        let address = "http://ann:s%65cret@127.0.0.1:\(server.port)/prefix/"
        let client = MLflowClient(try MLflowConfiguration(trackingURI: address))
        do throws(MLflowError) {
            _ = try await client.run(id: "abc")
            Issue.record("It succeeded.")
        } catch {
            #expect(!error.description.contains("ecret"))
        }
        #expect(server.requests.first?.headers["authorization"] == "Basic YW5uOnNlY3JldA==")
        #expect(server.requests.first?.path == "/prefix/api/2.0/mlflow/runs/get")
        #expect(!client.configuration.trackingURI.contains("ecret"))
    }

    @Test("While the server is away a run keeps what is logged, and sends it when it is back")
    func outage() async throws {
        let port = try await MLflowServer.shared().port
        let isAway = Mutex(false)
        let (client, _) = try client { request in
            if isAway.withLock({ $0 }) { return .answer(503, headers: ["Retry-After": "0"]) }
            return TestHTTPServer.forward(request, toPort: port)
        }
        let run = try await newRun(client)
        let active = ActiveRun(run, client: client, effectKey: nil, interval: .seconds(600))
        isAway.withLock { $0 = true }
        try await active.log(metric: "m", 1, step: 1)
        #expect(await kind { try await active.flush() } == .serverFailed)
        try await active.log(metric: "m", 2, step: 2)
        isAway.withLock { $0 = false }
        try await active.end()
        let history = try await client.metricHistory(of: "m", run: run.id)
        #expect(history.map(\.value) == [1, 2])
    }

    @Test("What waits for a server that stays away has a bound")
    func outageBound() async throws {
        let (client, _) = try client { _ in .answer(500) }
        let run = try WireRun(info: .init(runId: "abc", experimentId: "1")).run()
        let active = ActiveRun(run, client: client, effectKey: nil, interval: .seconds(600))
        let metrics = (0..<1000).map { Metric(key: "m", value: 1, timestamp: 1, step: $0) }
        for _ in 0..<ActiveRun.waitingMax / 1000 {
            try await active.log(LogBatch(metrics: metrics))
        }
        #expect(await kind { try await active.log(metric: "m", 1) } == .serverFailed)
    }
}
