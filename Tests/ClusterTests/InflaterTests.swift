import Foundation
import TestSupport
import Testing

@testable import Cluster

/// Deflate as other programs write it, and as nobody should.
@Suite struct InflaterTests {
    /// What Python's zlib makes of several contents: `content` and `packed` files by number.
    private func samples(_ folder: TemporaryFolder) async throws -> Int {
        let output = try await Python.run(
            """
            import os, random, sys, zlib
            os.chdir(sys.argv[1])
            random.seed(7)
            contents = [b"", b"a", b"a" * 100000, bytes(random.randbytes(70000)),
                        b"".join(b"line %d\\n" % i for i in range(20000)),
                        bytes(random.choice(b"ACGT") for _ in range(50000)),
                        bytes(int(random.expovariate(0.05)) % 256 for _ in range(40000))]
            number = 0
            for content in contents:
                for level in (0, 1, 6, 9):
                    for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY):
                        packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
                        packed = packer.compress(content) + packer.flush()
                        open(f"{number}.content", "wb").write(content)
                        open(f"{number}.packed", "wb").write(packed)
                        number += 1
            print(number)
            """, arguments: [folder.path])
        return Int(output.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    private func read(_ name: String, _ folder: TemporaryFolder) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))
    }

    @Test("What zlib packed comes back, for every level and strategy")
    func zlib() async throws {
        let folder = try TemporaryFolder()
        let count = try await samples(folder)
        #expect(count == 84)
        for number in 0..<count {
            let content = try read("\(number).content", folder)
            let packed = try read("\(number).packed", folder)
            let inflated = try Inflater.inflate(packed, size: content.count)
            let isEqual = inflated == Array(content)
            #expect(isEqual, "sample \(number)")
            #expect(throws: ZipError.self, "one byte more was promised") {
                try Inflater.inflate(packed, size: content.count + 1)
            }
            guard content.count > 0 else { continue }
            #expect(throws: ZipError.self, "one byte less was promised") {
                try Inflater.inflate(packed, size: content.count - 1)
            }
            #expect(throws: ZipError.self, "the end is missing") {
                try Inflater.inflate(packed.dropLast(2), size: content.count)
            }
        }
    }

    @Test(
        "Streams that no packer writes are refused",
        arguments: [
            [], [0x07], [0x01, 0x05, 0x00, 0x00, 0x00], [0x03], [0x63], [0x4B, 0x04, 0xFF],
            [0x05, 0xFF, 0xFF, 0xFF], [0xFD, 0xFF, 0xFF, 0xFF, 0xFF], [0xED, 0xFF],
        ] as [[UInt8]])
    func forgeries(_ bytes: [UInt8]) {
        #expect(throws: ZipError.self) { try Inflater.inflate(Data(bytes), size: 5) }
    }

    @Test("Thousands of mutations are read or refused; never more is made than was promised")
    func mutations() async throws {
        let folder = try TemporaryFolder()
        _ = try await samples(folder)
        var chance = SeededChance(3)
        // Samples with codes of their own, and with fixed ones.
        for number in [54, 55, 66, 78] {
            let content = try read("\(number).content", folder)
            let original = try read("\(number).packed", folder).prefix(4_000)
            for _ in 0..<500 {
                var bytes = [UInt8](original)
                for _ in 0..<Int.random(in: 1...3, using: &chance) {
                    let place = Int.random(in: 0..<min(200, bytes.count), using: &chance)
                    bytes[place] = UInt8.random(in: 0...255, using: &chance)
                }
                let size = min(content.count, 20_000)
                guard let made = try? Inflater.inflate(Data(bytes), size: size) else { continue }
                #expect(made.count == size)
            }
            await Task.yield()
        }
    }
}
