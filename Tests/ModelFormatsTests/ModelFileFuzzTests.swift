import DecisionForests
import Foundation
import Testing

@testable import ModelFormats

/// Damaged and hostile files: whatever the bytes, reading ends in a model that keeps every rule or
/// in an error. A trap would end the whole test process.
@Suite("model.manta from a hostile hand")
struct ModelFileFuzzTests {
    static let examples = ModelExample.all.filter { $0.treeCount < 50 }.map { example in
        var small = example
        small.treeCount = min(small.leafWidth == 1 ? small.outputCount : 4, small.treeCount)
        small.depth = min(3, small.depth)
        return small
    }

    @Test("Mutated files are read or refused, with their checksum put right", arguments: examples)
    func mutations(_ example: ModelExample) throws {
        let original = try ModelFile.encode(example.model)
        var chance = SplitMix(state: example.seed)
        var refused = 0
        for _ in 0..<2000 {
            let bytes = mutated(original, &chance)
            if !isRead(fixed(bytes)) { refused += 1 }
        }
        #expect(refused > 500)
    }

    @Test("Every prefix is refused, also with size and checksum put right", arguments: examples)
    func truncations(_ example: ModelExample) throws {
        let original = try ModelFile.encode(example.model)
        for length in stride(from: 0, to: original.count, by: 3) {
            let prefix = Array(original.prefix(length))
            #expect(throws: ModelFileError.self) { try ModelFile.decode(prefix) }
            #expect(throws: ModelFileError.self) { try ModelFile.decode(fixed(prefix)) }
        }
    }

    @Test("Huge counts cost nothing")
    func hugeCounts() throws {
        let original = try ModelFile.encode(Self.examples[0].model)
        let values: [[UInt8]] = [
            [UInt8](repeating: 0xFF, count: 8), [0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0, 0x80], [0, 0, 0, 0, 0, 0, 0, 0x40],
            [UInt8](repeating: 0, count: 8), [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        ]
        let before = peakMemory()
        let start = ContinuousClock.now
        for field in stride(from: 84, to: ModelFileLayout.headerSize - 8, by: 2) {
            for value in values {
                var bytes = original
                bytes.replaceSubrange(field..<(field + 8), with: value)
                _ = isRead(fixed(bytes))
            }
        }
        // Other tests run meanwhile; a single count that was believed would cost gigabytes.
        #expect(peakMemory() - before < 512 << 20)
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test("No outputs with any number of leaves is refused")
    func noOutputs() throws {
        var bytes = try ModelFile.encode(Self.examples[0].model)
        bytes.replaceSubrange(92..<96, with: [0, 0, 0, 0])
        bytes.replaceSubrange(128..<136, with: [UInt8](repeating: 0xFF, count: 8))
        #expect(throws: ModelFileError.self) { try ModelFile.decode(fixed(bytes)) }
    }

    /// Whether the bytes are a model; if so it must be writable in both forms and predict.
    private func isRead(_ bytes: [UInt8]) -> Bool {
        guard let model = try? ModelFile.decode(bytes) else { return false }
        let row = [Float](repeating: 0.5, count: model.featureNames.count)
        _ = ReferencePrediction(model: model).outputs(of: row)
        #expect(throws: Never.self) {
            _ = try model.predictor().predict(FeatureMatrix(rows: [row]))
        }
        #expect(throws: Never.self) {
            #expect(
                try ModelFile.decode(try ModelFile.encode(model)).featureNames == model.featureNames
            )
            _ = try ONNXWriter.encode(model)
        }
        return true
    }

    private func mutated(_ original: [UInt8], _ chance: inout SplitMix) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...6, using: &chance) {
            let inHeader = Bool.random(using: &chance)
            let limit = inHeader ? ModelFileLayout.headerSize : bytes.count
            let index = Int.random(in: 8..<limit, using: &chance)
            switch Int.random(in: 0..<4, using: &chance) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &chance)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &chance)
            case 2: bytes[index] = 0xFF
            default: bytes[index] = bytes[index] &+ 1
            }
        }
        if Int.random(in: 0..<8, using: &chance) == 0 {
            bytes += [UInt8](repeating: 0, count: Int.random(in: 1...200, using: &chance))
        }
        return bytes
    }

    /// Puts size and checksum right, so that the checks behind them are reached.
    private func fixed(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= ModelFileLayout.headerSize else { return bytes }
        var bytes = bytes
        for place in 0..<8 {
            bytes[16 + place] = UInt8(truncatingIfNeeded: bytes.count >> (8 * place))
        }
        bytes[8] = UInt8(ModelFileLayout.version)
        let checksum = bytes.withUnsafeBytes(ModelFile.checksum)
        bytes.replaceSubrange(ModelFileLayout.checksum, with: checksum)
        return bytes
    }

    private func peakMemory() -> Int {
        let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Int($0.filter(\.isNumber)) }.map { $0 << 10 } ?? 0
    }
}
