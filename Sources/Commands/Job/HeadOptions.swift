import ArgumentParser
import Cluster
import Foundation

/// What every command that speaks to a head takes.
struct HeadOptions: ParsableArguments {
    @Option(
        help: "The head's URL (MANTA_ADDRESS, RAY_API_SERVER_ADDRESS, RAY_ADDRESS).")
    var address: String?

    @Flag(help: "Print JSON.")
    var json = false

    func client() throws -> HeadClient {
        let environment = Environment.current()
        return HeadClient(
            address: environment.headAddress(address), token: try environment.token(),
            version: mantaVersion, user: "\(NSUserName())@\(ProcessInfo.processInfo.hostName)")
    }

    /// Runs `body` and turns what it throws into words and an exit code.
    func withClient(_ body: (HeadClient) async throws -> Void) async throws {
        let client = try client()
        do {
            try await body(client)
        } catch let code as ExitCode {
            throw code
        } catch {
            throw CommandFailure(error, address: client.address)
        }
    }
}
