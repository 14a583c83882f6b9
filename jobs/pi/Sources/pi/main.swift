import Dartboard
import Manta

// Tasks stand here, above `runJob`: in any other file they would come to life too late.
let hits = RemoteTask("hits") { (input: Throw, context) async throws -> Int in
    var board = Dartboard(seed: input.seed)
    return board.hits(of: input.points)
}

try await runJob(Options.self) { options, cluster in
    let share = options.points / options.tasks
    let inputs = (0..<options.tasks).map { Throw(points: share, seed: UInt64($0)) }
    let counts = try await cluster.map(hits, over: inputs)
    let pi = 4 * Double(counts.reduce(0, +)) / Double(share * options.tasks)
    try await cluster.setResult(["pi": pi])
    print("pi is about \(pi)")
}
