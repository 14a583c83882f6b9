import Manta

let greet = RemoteTask("greet") { (name: String, context) async throws -> String in
    "Hello \(name), from \(context.node)!"
}

try await runJob { cluster in
    for line in try await cluster.map(greet, over: ["Ada", "Alan", "Grace"]) { print(line) }
}
