import Foundation
import Testing

@testable import Cluster

/// Zip files made to harm whoever unpacks them.
@Suite struct ZipHostileTests {
    /// A zip file written by hand, so that it can say anything.
    private struct Forgery {
        var bytes: [UInt8] = []
        var central: [UInt8] = []
        var count: UInt16 = 0

        mutating func add(
            _ name: String, _ content: String = "x", mode: UInt32 = 0o100_644, method: UInt16 = 0,
            claimedSize: UInt32? = nil, checksum: UInt32? = nil, offset: Int? = nil
        ) {
            let data = Array(content.utf8)
            let start = offset ?? bytes.count
            let crc = checksum ?? CRC32.of(Data(data))
            let size = claimedSize ?? UInt32(data.count)
            func common(_ bytes: inout [UInt8]) {
                bytes.append16(0x0800)
                bytes.append16(method)
                bytes.append32(0x0021_0000)
                bytes.append32(crc)
                bytes.append32(size)
                bytes.append32(size)
                bytes.append16(UInt16(name.utf8.count))
                bytes.append16(0)
            }
            bytes.append32(0x0403_4B50)
            bytes.append16(20)
            common(&bytes)
            bytes += Array(name.utf8) + data
            central.append32(0x0201_4B50)
            central.append32(0x0014_0314)
            common(&central)
            central.append32(0)
            central.append16(0)
            central.append32(mode << 16)
            central.append32(UInt32(start))
            central += Array(name.utf8)
            count += 1
        }

        func finished(count claimed: UInt16? = nil) -> Data {
            var end: [UInt8] = []
            end.append32(0x0605_4B50)
            end.append32(0)
            end.append16(claimed ?? count)
            end.append16(claimed ?? count)
            end.append32(UInt32(central.count))
            end.append32(UInt32(bytes.count))
            end.append16(0)
            return Data(bytes + central + end)
        }
    }

    private func refusal(_ data: Data) throws -> String {
        let folder = try TemporaryFolder()
        let error = #expect(throws: ZipError.self) {
            try ZipArchive.unpack(data, to: folder.path + "/out")
        }
        // Nothing is written before everything was looked at.
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/out"))
        return try #require(error).description
    }

    @Test("A forgery without a fault is read: the tests below test what they say")
    func control() throws {
        var forgery = Forgery()
        forgery.add("a/b.txt", "hello")
        let folder = try TemporaryFolder()
        try ZipArchive.unpack(forgery.finished(), to: folder.path + "/out")
        #expect(
            FileManager.default.contents(atPath: folder.path + "/out/a/b.txt")
                == Data("hello".utf8))
    }

    @Test(
        "Names that leave the folder or surprise are refused",
        arguments: [
            "../evil", "a/../../evil", "a/..", "..", ".", "./a", "a/./b", "/etc/passwd", "//a",
            "a//b", "..\\evil", "a\\b", "C:\\evil", "nul\0led", "line\nfeed", "tab\t", "\u{1B}[31m",
            "del\u{7F}", "", String(repeating: "x", count: 1_025),
            String(repeating: "d/", count: 64) + "f", "a/../b", "a/b/..",
        ])
    func names(_ name: String) throws {
        var forgery = Forgery()
        forgery.add("innocent")
        forgery.add(name)
        #expect(try refusal(forgery.finished()).contains("unsafe"))
    }

    @Test("Names that are not UTF-8 are refused")
    func encoding() throws {
        var forgery = Forgery()
        forgery.add("ABCD")
        var data = forgery.finished()
        let place = try #require(data.range(of: Data("ABCD".utf8), options: .backwards))
        data[place.lowerBound] = 0xFF
        #expect(try refusal(data).contains("not UTF-8"))
    }

    @Test(
        "Links, devices, pipes and sockets are refused",
        arguments: [0o120_777, 0o020_666, 0o060_666, 0o010_600, 0o140_777] as [UInt32])
    func kinds(_ mode: UInt32) throws {
        var forgery = Forgery()
        forgery.add("thing", "/etc/passwd", mode: mode)
        #expect(try refusal(forgery.finished()).contains("neither a file nor a folder"))
    }

    @Test("Set-user-id bits do not survive")
    func setUserID() throws {
        var forgery = Forgery()
        forgery.add("tool", mode: 0o104_755)
        let folder = try TemporaryFolder()
        try ZipArchive.unpack(forgery.finished(), to: folder.path + "/out")
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/out/tool")
        #expect(attributes[.posixPermissions] as? Int == 0o700)
    }

    @Test("Damage, strange compression, impossible sizes and places are refused")
    func contents() throws {
        var damaged = Forgery()
        damaged.add("a", checksum: 1)
        #expect(try refusal(damaged.finished()).contains("a is damaged"))
        var deflated = Forgery()
        deflated.add("a", method: 8)
        #expect(try refusal(deflated.finished()).contains("ends too early"))
        var packed = Forgery()
        packed.add("a", method: 12)
        #expect(try refusal(packed.finished()).contains("another method"))
        var long = Forgery()
        long.add("a", claimedSize: 0xFFFF_FFFF)
        #expect(try refusal(long.finished()).contains("ends too early"))
        var astray = Forgery()
        astray.add("a", offset: 0x7FFF_FFFF)
        #expect(try refusal(astray.finished()).contains("ends too early"))
        var inside = Forgery()
        inside.add("a", offset: 3)
        #expect(try refusal(inside.finished()).contains("no local header"))
        var few = Forgery()
        few.add("a")
        #expect(try refusal(few.finished(count: 2)).contains("no entry"))
        #expect(try refusal(few.finished(count: 0xFFFF)).contains("65535 entries"))
    }

    @Test("Two entries in one place are refused")
    func places() throws {
        var twice = Forgery()
        twice.add("a")
        twice.add("a", "y")
        #expect(try refusal(twice.finished()).contains("twice"))
        var both = Forgery()
        both.add("a/b")
        both.add("a")
        #expect(try refusal(both.finished()).contains("a file and a folder"))
    }

    @Test("Entries that share their bytes are counted each: a small file cannot fill the disk")
    func overlap() throws {
        var bomb = Forgery()
        let content = String(repeating: "0", count: 1 << 20)
        bomb.add("first", content)
        let checksum = CRC32.of(Data(content.utf8))
        for number in 0..<600 {
            // The same local header, under another name of the same length.
            let name = String(format: "n%04d", number)
            let length = bomb.bytes.count
            bomb.add(name, "", claimedSize: 1 << 20, checksum: checksum, offset: 0)
            bomb.bytes.removeLast(bomb.bytes.count - length)
        }
        let data = bomb.finished()
        #expect(data.count < 2 << 20)
        #expect(try refusal(data).contains("512 MiB unpacked"))
    }

    @Test("Every truncation is refused")
    func truncation() async throws {
        var forgery = Forgery()
        forgery.add("dir/file", "content")
        forgery.add("other", "more")
        let data = forgery.finished()
        let folder = try TemporaryFolder()
        for length in 0..<data.count {
            #expect(throws: ZipError.self, "\(length) bytes") {
                try ZipArchive.unpack(data.prefix(length), to: "\(folder.path)/\(length)")
            }
            await Task.yield()
        }
    }

    @Test("Thousands of mutations are read or refused, and nothing leaves the folder")
    func mutations() async throws {
        var forgery = Forgery()
        forgery.add("dir/file", "content", mode: 0o100_755)
        forgery.add("dir2/", "", mode: 0o040_755)
        forgery.add("other", "more")
        let original = forgery.finished()
        let folder = try TemporaryFolder()
        var generator = SeededChance(20)
        var refused = 0
        for round in 0..<3_000 {
            var data = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                data[Int.random(in: 0..<data.count, using: &generator)] =
                    [
                        0, 1, 0x2E, 0x2F, 0x7F, 0x80, 0xFF,
                        UInt8.random(in: 0...255, using: &generator),
                    ]
                    .randomElement(using: &generator) ?? 0
            }
            let place = "\(folder.path)/\(round)/out"
            // Others wait for this thread.
            await Task.yield()
            do {
                try ZipArchive.unpack(data, to: place)
            } catch is ZipError {
                refused += 1
                continue
            }
            let above = "\(folder.path)/\(round)"
            #expect(try FileManager.default.contentsOfDirectory(atPath: above) == ["out"])
        }
        // Only those that were read left anything, and each in its own place.
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(left.count == 3_000 - refused && left.allSatisfy { Int($0) != nil })
        #expect((500..<3_000).contains(refused))
    }
}
