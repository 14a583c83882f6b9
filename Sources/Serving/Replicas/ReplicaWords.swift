import Foundation

/// What a gateway tells a replica first; the replica's answer has the same shape.
struct ReplicaGreeting: Codable, Sendable, Equatable {
    /// Another one is refused: the program file was replaced while its gateway runs.
    var format = ReplicaFrame.version
    /// The gateway's bounds on a request (`GatewayConfiguration.Limits`).
    var jsonDepth: Int
    var rowCount: Int
    /// What the router sends at once; the replica refuses more.
    var concurrentPredictions: Int
    var batching: BatchSettings?

    init(limits: GatewayConfiguration.Limits, ongoingMax: Int, batching: BatchSettings?) {
        self.batching = batching
        jsonDepth = limits.jsonDepth
        rowCount = limits.rowCount
        concurrentPredictions = ongoingMax
    }

    /// The bounds as the replica's model server takes them.
    var limits: GatewayConfiguration.Limits {
        var limits = GatewayConfiguration.Limits()
        limits.jsonDepth = jsonDepth
        limits.rowCount = rowCount
        limits.concurrentPredictions = concurrentPredictions
        return limits
    }
}

/// A model to read: what a `prepare` frame holds.
struct ModelOrder: Codable, Sendable, Equatable {
    let directory: String
    let version: ServableVersion

    /// What a `prepared` frame holds.
    enum Outcome: Codable, Sendable, Equatable {
        case ready(sha256: String, signatureJSON: String)
        case refused(reason: String)
    }
}

/// JSON of the few frames that are not worth a form of their own.
enum ReplicaJSON {
    static func encode(_ value: some Encodable) -> [UInt8] {
        // These values hold texts and whole numbers only: there is nothing JSON cannot say.
        (try? JSONEncoder().encode(value)).map(Array.init) ?? []
    }

    /// Nil where the bytes are not one.
    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(bytes))
    }
}
