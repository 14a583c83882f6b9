import ArgumentParser
import Foundation
import HTTPClient

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "See and change what a gateway serves.",
        version: mantaVersion, subcommands: [ServeStatusCommand.self, ServeLoadCommand.self])
}

/// What every command that speaks to a gateway takes.
struct GatewayOptions: ParsableArguments {
    @Option(help: "The gateway's URL (MANTA_GATEWAY_ADDRESS).")
    var address: String?

    /// Sends one request and prints the JSON that came back.
    func show(_ method: HTTPRequest.Method, _ path: String, body: String? = nil) async throws {
        let environment = Environment.current()
        let base = environment.gatewayAddress(address)
        var headers = HTTPHeaders()
        headers.append(name: "Accept", value: "application/json")
        if body != nil { headers.append(name: "Content-Type", value: "application/json") }
        if let token = try environment.token() {
            headers.append(name: "Authorization", value: "Bearer \(token)")
        }
        let request = HTTPRequest(
            method, base + path, headers: headers,
            body: body.map { .bytes(Array($0.utf8)) } ?? .none,
            timeout: .seconds(300))
        do {
            let response = try await HTTPClient().send(request)
            if response.isSuccess { return writeOut(response.bodyText + "\n") }
            throw CommandFailure(
                response.bodyText, code: response.status == 404 ? ExitStatus.notFound : 1)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(error, address: base)
        }
    }
}

struct ServeStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the gateway's health and its model.")

    @OptionGroup var gateway: GatewayOptions

    func run() async throws { try await gateway.show(.get, "/health") }
}

struct ServeLoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Load a registered model; without a name, the obvious one.")

    @OptionGroup var gateway: GatewayOptions

    @Argument var name: String?

    @Option(help: "Default: the latest.")
    var version: String?

    @Option(help: "An alias such as champion, instead of a version.")
    var alias: String?

    func run() async throws {
        var body: [String: String] = [:]
        body["name"] = name
        body["version"] = version
        body["alias"] = alias
        let text = String(decoding: try JSONEncoder().encode(body), as: UTF8.self)
        try await gateway.show(.post, "/model/load", body: text)
    }
}
