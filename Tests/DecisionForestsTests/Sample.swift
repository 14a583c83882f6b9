import DecisionForests
import Foundation

/// Texts that become files or bytes for a reader.
enum Sample {
    /// Reads CSV text with options, through a file.
    static func read(_ text: String, _ options: ReadOptions) throws -> Dataset {
        let folder = try ScratchFolder()
        return try Dataset.load([folder.write(text, to: "a.csv")], options: options)
    }

    /// Whether two data sets are the same, bit by bit.
    static func areEqual(_ left: Dataset, _ right: Dataset) -> Bool {
        left.encoded() == right.encoded()
    }
}

/// A small stream of numbers for making test data.
struct Draws {
    private let chance: Chance
    private var count: UInt64 = 0

    init(seed: UInt64) {
        chance = Chance(seed: seed)
    }

    mutating func bits() -> UInt64 {
        count += 1
        return chance.bits(count)
    }

    mutating func below(_ bound: Int) -> Int { Int(bits() % UInt64(bound)) }
}
