import Testing

@testable import JobChannel

@Suite struct FrameTests {
    static let messages: [ChannelMessage] = [
        ChannelMessage(.hello(protocolVersion: 1, role: .driver, pid: 42, token: "secret")),
        ChannelMessage(
            .enqueue(request: 1, TaskRequest(name: "score", occurrence: 2, inputBlob: "ab")),
            payload: [1, 2, 3]),
        ChannelMessage(.abandon(request: .max)),
        ChannelMessage(.answered(assignment: 7, .succeeded(blob: nil)), payload: [0, 255]),
        ChannelMessage(.answered(assignment: 7, .failed(message: "no\n\"luck\" ü"))),
        ChannelMessage(.blobOffered(request: 3, digest: "00ff", path: "/run/x")),
        ChannelMessage(.blobWanted(request: 3, digest: "00ff")),
        ChannelMessage(.result, payload: Array("{}".utf8)),
        ChannelMessage(
            .welcome(
                Welcome(
                    protocolVersion: 1, job: "j", node: "worker-1", slots: 4,
                    scratchDirectory: "/tmp/s"))),
        ChannelMessage(
            .run(assignment: 9, task: "score", attempt: 1, inputBlob: nil), payload: [9]),
        ChannelMessage(
            .run(
                assignment: 10, task: "fitModel", attempt: 2, inputBlob: "ab", milliCPUs: 4_000)),
        ChannelMessage(
            .enqueue(request: 2, TaskRequest(name: "f", occurrence: 0, milliCPUsMax: 9))),
        ChannelMessage(
            .run(assignment: 11, task: "ü", attempt: 1, inputBlob: nil, milliCPUs: 0)),
        ChannelMessage(
            .enqueue(
                request: 4,
                TaskRequest(
                    name: "plain", occurrence: 7, milliCPUs: 500, attemptsMax: 3,
                    retriesErrors: true)), payload: [1]),
        ChannelMessage(.enqueue(request: 5, TaskRequest(name: "odd", occurrence: -1))),
        ChannelMessage(.completed(request: 4, .succeeded(blob: nil)), payload: [2]),
        ChannelMessage(.cancel(assignment: 9)),
        ChannelMessage(.completed(request: 1, .lost(message: "signal 9"))),
        ChannelMessage(.blobReady(request: 3, path: "/run/y")),
        ChannelMessage(.refused(request: 3, reason: "missing")),
        ChannelMessage(.slots(12)),
        ChannelMessage(.shutdown(graceInSeconds: 5)),
    ]

    @Test("Every message comes back as it was, however the stream is cut", arguments: [1, 3, 4096])
    func roundTrip(chunkSize: Int) throws {
        let bytes = try Self.messages.flatMap { try Frame.encode($0) }
        var reader = FrameReader()
        var read: [ChannelMessage] = []
        for start in stride(from: 0, to: bytes.count, by: chunkSize) {
            reader.append(bytes[start..<min(start + chunkSize, bytes.count)])
            while let message = try reader.next() { read.append(message) }
        }
        #expect(read == Self.messages)
        #expect(reader.isBetweenFrames)
    }

    @Test("What every task says takes a few bytes, and says the rest in JSON")
    func compact() throws {
        let plain = TaskRequest(name: "score", occurrence: 1)
        let small = try Frame.encode(ChannelMessage(.enqueue(request: 1, plain)))
        #expect(small.count < 50)
        var rare = plain
        rare.memoryInBytes = 1
        let large = try Frame.encode(ChannelMessage(.enqueue(request: 1, rare)))
        #expect(large.count > 100)
    }

    @Test("A compact header that is cut short, or goes on, is refused")
    func hostileCompact() throws {
        let frame = try Frame.encode(
            ChannelMessage(.enqueue(request: 1, TaskRequest(name: "score", occurrence: 1))))
        let header = Array(frame[9...])
        for count in 1..<header.count {
            #expect(throws: ChannelError.self) { try CompactHeader.decode(header[..<count]) }
        }
        #expect(throws: ChannelError.self) { try CompactHeader.decode((header + [0])[...]) }
        var notUTF8 = header
        notUTF8[11] = 0xFF
        #expect(throws: ChannelError.self) { try CompactHeader.decode(notUTF8[...]) }
        #expect(try CompactHeader.decode([0x7B, 0x7D][...]) == nil)
        #expect(try CompactHeader.decode([][...]) == nil)
    }

    @Test("A frame version from the future is refused by name")
    func unknownVersion() throws {
        var bytes = try Frame.encode(ChannelMessage(.result))
        bytes[4] = 9
        var reader = FrameReader()
        reader.append(bytes)
        #expect(throws: ChannelError.unknownFrameVersion(9)) { try reader.next() }
        #expect(ChannelError.unknownFrameVersion(9).description.contains("reads version 2"))
    }

    @Test("A length over the bound is refused before its bytes are awaited")
    func hugeLength() {
        var reader = FrameReader()
        reader.append([255, 255, 255, 255])
        #expect(throws: ChannelError.self) { try reader.next() }
    }

    @Test("A header longer than its frame, an empty frame and a foreign header are malformed")
    func malformed() throws {
        let frames: [[UInt8]] = [
            [0, 0, 0, 5, 2, 0, 0, 0, 9], [0, 0, 0, 0], [0, 0, 0, 3, 2, 0, 0],
            [0, 0, 0, 7, 2, 0, 0, 0, 2, 0x7b, 0x7d],
        ]
        for bytes in frames {
            var reader = FrameReader()
            reader.append(bytes)
            #expect {
                try reader.next()
            } throws: { error in
                if case ChannelError.malformed = error { true } else { false }
            }
        }
    }

    @Test("Header and payload over their bounds are refused by the sender")
    func bounds() throws {
        let name = String(repeating: "n", count: Frame.headerMax)
        #expect(throws: ChannelError.self) {
            try Frame.encode(ChannelMessage(.enqueue(request: 1, .init(name: name, occurrence: 0))))
        }
        let large = [UInt8](repeating: 0, count: Frame.payloadMax)
        #expect(try Frame.encode(ChannelMessage(.result, payload: large)).count > large.count)
        #expect(throws: ChannelError.self) {
            try Frame.encode(ChannelMessage(.result, payload: large + [0]))
        }
    }

    @Test("Damaged frames give a message or a typed error, and never trap")
    func fuzz() throws {
        var random = SplitMix(state: 42)
        var outcomes = (messages: 0, errors: 0)
        for round in 0..<4_000 {
            var bytes = try Frame.encode(Self.messages[round % Self.messages.count])
            for _ in 0..<(1 + random.next() % 4) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            if random.next() % 8 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            var reader = FrameReader()
            reader.append(bytes)
            do throws(ChannelError) {
                while try reader.next() != nil { outcomes.messages += 1 }
            } catch {
                outcomes.errors += 1
                #expect(!error.description.isEmpty)
            }
        }
        #expect(outcomes.messages > 0 && outcomes.errors > 0)
    }

    @Test("A header nested too deeply is malformed")
    func deepNesting() {
        let header = Array(repeating: UInt8(ascii: "["), count: 60_000)
        let size = UInt32(header.count)
        let body = [1] + withUnsafeBytes(of: size.bigEndian, Array.init) + header
        let frame = withUnsafeBytes(of: UInt32(body.count).bigEndian, Array.init) + body
        var reader = FrameReader()
        reader.append(frame)
        #expect(throws: ChannelError.self) { try reader.next() }
    }
}

struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
