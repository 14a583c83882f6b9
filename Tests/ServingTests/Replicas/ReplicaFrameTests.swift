import NIOCore
import Testing

@testable import Serving

@Suite struct ReplicaFrameTests {
    private static func frames() -> [ReplicaFrame] {
        var request = PredictRequest(
            body: ByteBuffer(string: #"{"features": [[1]]}"#), requestID: "r-1",
            loadCommand: "curl")
        request.style = .openInference
        request.jsonSize = 12
        var reply = Reply(status: 422, contentType: "application/json", text: "{}")
        reply.headers = [("Retry-After", "1"), ("X", "ä")]
        reply.rowCount = 7
        reply.rejection = "invalid"
        let large = PredictRequest(
            body: ByteBuffer(repeating: 7, count: 300_000), requestID: "", loadCommand: "")
        return [
            .hello([1, 2]), .prepare(call: 9, [3]), .prepared(call: .max, []), .commit(call: 4),
            .discard, .predict(call: 1 << 40, request), .reply(call: 2, reply), .ping, .pong,
            .predict(call: 3, large),
        ]
    }

    /// All bytes again from what was read.
    private static func bytes(of frames: [ReplicaFrame]) -> [UInt8] {
        frames.flatMap { $0.encoded() }
    }

    @Test("Frames come out as they went in, in whatever pieces their bytes arrive")
    func roundTrip() throws {
        let bytes = Self.bytes(of: Self.frames())
        for seed in 0..<30 {
            var chance = SeededChance(UInt64(seed))
            var assembler = FrameAssembler()
            var read: [ReplicaFrame] = []
            var position = 0
            while position < bytes.count {
                let most = seed < 3 ? 3_000 : 90_000
                let end = min(bytes.count, position + Int.random(in: 1...most, using: &chance))
                bytes[position..<end].withUnsafeBytes { assembler.append($0) }
                position = end
                while let frame = try assembler.next() { read.append(frame) }
            }
            #expect(read.count == Self.frames().count)
            #expect(Self.bytes(of: read) == bytes)
        }
    }

    @Test("A request keeps its style, names and body; a reply its status, headers and counts")
    func fields() throws {
        var assembler = FrameAssembler()
        Self.bytes(of: Self.frames()).withUnsafeBytes { assembler.append($0) }
        while let frame = try assembler.next() {
            if case .predict(let call, let request) = frame, call == 1 << 40 {
                #expect(request.style == .openInference && request.requestID == "r-1")
                #expect(request.jsonSize == 12)
                #expect(request.loadCommand == "curl")
                #expect(String(buffer: request.body) == #"{"features": [[1]]}"#)
            }
            if case .reply(_, let reply) = frame {
                #expect(reply.status == 422 && reply.contentType == "application/json")
                #expect(reply.rowCount == 7 && reply.rejection == "invalid")
                #expect(reply.headers.map(\.value) == ["1", "ä"])
            }
        }
    }

    @Test("Damaged frames are refused, and never trap")
    func damage() {
        let bytes = Self.bytes(of: Array(Self.frames().dropLast()))
        var refusedCount = 0
        for seed in 0..<3_000 {
            var chance = SeededChance(UInt64(seed))
            var damaged = bytes
            for _ in 0...Int.random(in: 0...3, using: &chance) {
                let index = Int.random(in: 0..<damaged.count, using: &chance)
                damaged[index] = UInt8.random(in: 0...255, using: &chance)
            }
            if seed % 5 == 0 { damaged.removeLast(Int.random(in: 0...60, using: &chance)) }
            var assembler = FrameAssembler()
            damaged.withUnsafeBytes { assembler.append($0) }
            do throws(FrameFault) {
                while try assembler.next() != nil {}
            } catch {
                refusedCount += 1
            }
        }
        #expect(refusedCount > 0)
        let length: [UInt8] = [0xFF, 0xFF, 0xFF, 0x7F]
        var huge = FrameAssembler()
        length.withUnsafeBytes { huge.append($0) }
        #expect(throws: FrameFault.self) { try huge.next() }
    }
}
