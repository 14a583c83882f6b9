import Foundation
import Processes
import TestSupport
import Testing

/// `manta up` as a person uses it: everything on one machine, and nothing left behind.
@Suite(.serialized) struct UpTests {
    /// Folders and ports of one test; its processes are found by the folder in their environment.
    private struct Home {
        let folder: String
        let offset: Int

        init() throws {
            offset = Int.random(in: 100...200) * 100
            folder = "/tmp/manta-up-\(getpid())-\(offset)"
            for name in ["state", "data", "cache", "run"] {
                try FileManager.default.createDirectory(
                    atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
        }

        var environment: [String: String] {
            var variables = ProcessInfo.processInfo.environment.filter {
                !$0.key.hasPrefix("MANTA_") && !$0.key.hasPrefix("MLFLOW_")
            }
            variables["MANTA_VENV"] = try? Python.folder.replacingOccurrences(of: "/bin", with: "")
            for name in ["STATE", "DATA", "CACHE"] {
                variables["XDG_\(name)_HOME"] = "\(folder)/\(name.lowercased())"
            }
            variables["XDG_RUNTIME_DIR"] = folder + "/run"
            return variables
        }

        func manta(_ arguments: [String]) async throws -> TestCluster.Output {
            try await CommandRun.run(
                try Products.manta, arguments, environment: environment, in: folder)
        }

        var pids: [Int32] {
            ProcessTable.pids(withVariable: "XDG_RUNTIME_DIR=\(folder)/run")
        }

        func remove() { try? FileManager.default.removeItem(atPath: folder) }
    }

    private struct Status: Decodable {
        struct Endpoint: Decodable { let url: String }
        struct Component: Decodable {
            let name: String
            let pid: Int32?
            let state: String
            let restarts: Int
        }
        let pid: Int32
        let head: Endpoint
        let gateway: Endpoint
        let mlflow: Endpoint
        let components: [Component]
    }

    private func status(_ home: Home) async throws -> Status {
        let output = try await home.manta(["status", "--json"])
        return try JSONDecoder().decode(Status.self, from: Data(output.out.utf8))
    }

    @Test("Everything comes up, restarts what dies, and kill -9 leaves nothing after 5 s")
    func wholeLife() async throws {
        let home = try Home()
        let up = try await home.manta([
            "up", "--detach", "--workers", "2", "--port-offset", String(home.offset),
        ])
        #expect(up.exit == .code(0), "\(up.err)")
        var state = try await status(home)
        #expect(
            state.components.map(\.name) == [
                "redis", "mlflow", "head", "worker-1", "worker-2", "gateway",
            ])
        #expect(state.components.allSatisfy { $0.state == "up" })
        // Nothing is written outside the XDG folders; the token is its owner's alone.
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: home.folder).sorted()
                == ["cache", "data", "run", "state"])
        let mode =
            try FileManager.default.attributesOfItem(
                atPath: home.folder + "/state/manta/token")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let second = try await home.manta(["up"])
        #expect(second.exit == .code(4))

        let job = try await home.manta(["job", "submit", "--", "echo", "hello"])
        #expect(job.exit == .code(0) && job.out.contains("hello\n"), "\(job.err)")

        let worker = try #require(state.components.first { $0.name == "worker-1" }?.pid)
        kill(worker, SIGKILL)
        try await eventually("the worker is started again") {
            state = try await self.status(home)
            let now = state.components.first { $0.name == "worker-1" }
            return now?.state == "up" && now?.pid != worker && now?.restarts == 1
        }

        kill(state.pid, SIGKILL)
        try await eventually("nothing is left", within: .seconds(5)) { home.pids.isEmpty }
        #expect(try await home.manta(["status"]).exit == .code(3))
        home.remove()
    }

    @Test("Down ends everything; ports that are taken are passed over")
    func portsAndDown() async throws {
        let home = try Home()
        let mlflow = try await MLflowServer.shared()
        let blocker = try Blocker(port: 8265 + home.offset)
        var environment = home.environment
        environment["MLFLOW_TRACKING_URI"] = mlflow.url
        let up = try await CommandRun.run(
            try Products.manta,
            ["up", "--detach", "--workers", "1", "--port-offset", String(home.offset)],
            environment: environment, in: home.folder)
        #expect(up.exit == .code(0), "\(up.err)")
        let state = try await status(home)
        #expect(state.head.url == "http://localhost:\(8266 + home.offset)")
        #expect(state.mlflow.url == mlflow.url)
        #expect(!state.components.contains { $0.name == "mlflow" })
        let shell = try await home.manta(["env"])
        #expect(shell.out.contains("export MANTA_ADDRESS=\(state.head.url)"))
        let down = try await home.manta(["down"])
        #expect(down.exit == .code(0))
        try await eventually("nothing is left", within: .seconds(5)) { home.pids.isEmpty }
        withExtendedLifetime(blocker) {}
        home.remove()
    }

    /// Holds a port so that nobody else can listen on it.
    private final class Blocker {
        private let descriptor: Int32

        init(port: Int) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port).bigEndian)
            address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
            let isBound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isBound, listen(descriptor, 1) == 0 else {
                throw TestCluster.Failure(description: "port \(port) is taken")
            }
        }

        deinit { close(descriptor) }
    }
}
