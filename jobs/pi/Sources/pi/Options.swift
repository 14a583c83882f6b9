import Manta

struct Options: JobOptions {
    @Option(help: "Darts to throw.") var points = 1_000_000
    @Option(help: "Tasks to share them.") var tasks = 4
}

/// What one task is asked for.
struct Throw: Codable, Sendable {
    var points: Int
    var seed: UInt64
}
