import ArgumentParser
import Cluster
import Foundation
import Jobs
import Logging
import Processes

struct HeadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "head", abstract: "Serve the cluster's HTTP API on :8265.")

    @OptionGroup var role: RoleOptions

    @Option(help: "The address to listen on; beyond loopback the token is all that protects it.")
    var host = "127.0.0.1"

    @Option(help: "0 takes any free port.")
    var port = 8265

    func run() async throws {
        // Before there are threads that would take more.
        HeapArenas.limit(to: 2)
        let environment = Environment.current()
        let logger = try role.logging.makeLogger("head", environment)
        // On loopback the token may be made on the spot; beyond it somebody must have given it.
        let isLoopback = host == "localhost" || host == "::1" || host.hasPrefix("127.")
        guard let token = try environment.token(makes: isLoopback) else {
            throw SettingError(
                "listening on \(host) needs a token: set MANTA_TOKEN or MANTA_TOKEN_FILE.")
        }
        var configuration = try HeadConfiguration(token: token, version: mantaVersion)
        configuration.host = host
        configuration.port = port
        let stores = try role.storeConfiguration(environment)
        let store = try await stores.openJobStore()
        let blobs = PeeredBlobStore(
            try await stores.openBlobStore(), workersOf: store, token: token,
            scratchDirectory: configuration.scratchDirectory, logger: logger)
        let head = Head(configuration, store: store, blobs: blobs, logger: logger)
        try await runUntilSignalled { [host] in
            try await head.run { port in
                logger.info("head listening", metadata: ["url": "http://\(host):\(port)"])
            }
        }
    }
}
