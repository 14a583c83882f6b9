import NIOCore

/// What a gateway and its replicas say to each other over their socket.
///
///     length   UInt32, little-endian: bytes that follow it
///     kind     UInt8
///     call     UInt64: which question an answer belongs to
///     payload  by kind; counts before texts, the body last and without one
///
/// Both ends come from one program file, so there is no second version to understand; `hello` names
/// it all the same, because the file may be replaced under a running gateway.
enum ReplicaFrame: Sendable {
    /// Gateway: the settings, as JSON. Replica: that it has read them.
    case hello([UInt8])
    /// Read a model and warm it up, without answering with it: JSON of `ModelOrder`.
    case prepare(call: UInt64, [UInt8])
    /// What came of it: JSON of `ModelOrder.Outcome`.
    case prepared(call: UInt64, [UInt8])
    /// Answer with the model prepared under this call, from the next prediction on.
    case commit(call: UInt64)
    /// Forget the prepared model.
    case discard
    case predict(call: UInt64, PredictRequest)
    case reply(call: UInt64, Reply)
    /// Are you well? The replica gives the question back through its usual ways.
    case ping
    case pong

    static let version = 1

    /// Bytes of one frame: a body of the largest size with its names, or a reply to it.
    static let bytesMax = 256 << 20

    fileprivate enum Kind: UInt8 {
        case hello = 1, prepare, prepared, commit, discard, predict, reply, ping, pong
    }
}

/// What reads as no frame: the other end is not ours, and the connection ends.
struct FrameFault: Error, CustomStringConvertible {
    let description: String
}

// MARK: Writing

extension ReplicaFrame {
    /// The frame's bytes, its length first.
    func encoded() -> [UInt8] {
        var writer = FrameWriter()
        switch self {
        case .hello(let json): writer.write(.hello, call: 0, json)
        case .prepare(let call, let json): writer.write(.prepare, call: call, json)
        case .prepared(let call, let json): writer.write(.prepared, call: call, json)
        case .commit(let call): writer.write(.commit, call: call)
        case .discard: writer.write(.discard, call: 0)
        case .predict(let call, let request): writer.write(request, call: call)
        case .reply(let call, let reply): writer.write(reply, call: call)
        case .ping: writer.write(.ping, call: 0)
        case .pong: writer.write(.pong, call: 0)
        }
        return writer.finish()
    }
}

private struct FrameWriter {
    var bytes: [UInt8] = []

    mutating func write(_ kind: ReplicaFrame.Kind, call: UInt64, _ payload: [UInt8] = []) {
        begin(kind, call: call, capacity: payload.count)
        bytes += payload
    }

    private mutating func begin(_ kind: ReplicaFrame.Kind, call: UInt64, capacity: Int) {
        bytes.reserveCapacity(capacity + 64)
        integer(UInt32(0))
        bytes.append(kind.rawValue)
        integer(call)
    }

    mutating func finish() -> [UInt8] {
        let length = UInt32(bytes.count - 4).littleEndian
        withUnsafeBytes(of: length) { bytes.replaceSubrange(0..<4, with: $0) }
        return bytes
    }

    mutating func write(_ request: PredictRequest, call: UInt64) {
        begin(.predict, call: call, capacity: request.body.readableBytes + 512)
        text(request.style.rawValue)
        integer(Int64(request.jsonSize ?? -1))
        text(request.requestID)
        text(request.loadCommand)
        bytes += request.body.readableBytesView
    }

    mutating func write(_ reply: Reply, call: UInt64) {
        begin(.reply, call: call, capacity: reply.body.count + 256)
        integer(UInt16(clamping: reply.status))
        integer(UInt32(clamping: reply.rowCount))
        text(reply.contentType)
        text(reply.rejection ?? "")
        integer(UInt16(clamping: reply.headers.count))
        for (name, value) in reply.headers.prefix(Int(UInt16.max)) {
            text(name)
            text(value)
        }
        bytes += reply.body
    }

    /// Its count in two bytes, then UTF-8; longer ones are cut.
    mutating func text(_ text: String) {
        let utf8 = text.utf8.prefix(Int(UInt16.max))
        integer(UInt16(utf8.count))
        bytes += utf8
    }

    mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }
}

// MARK: Reading

/// Puts frames together from bytes that come in pieces of any size.
struct FrameAssembler {
    private var buffer: [UInt8] = []
    private var position = 0

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        // What was read is let go when it is the greater part, so each byte moves once or twice.
        if position > 0, position * 2 >= buffer.count {
            if position == buffer.count, buffer.capacity > 1 << 20 { buffer = [] }
            buffer.removeFirst(min(position, buffer.count))
            position = 0
        }
        buffer += bytes
    }

    /// The next whole frame; nil while it is not all there.
    ///
    /// Throws for what is no frame; there is no way on from there.
    mutating func next() throws(FrameFault) -> ReplicaFrame? {
        let left = buffer.count - position
        guard left >= 4 else { return nil }
        let length = (0..<4).reduce(0) { $0 | Int(buffer[position + $1]) << (8 * $1) }
        guard (9...ReplicaFrame.bytesMax).contains(length) else {
            throw FrameFault(description: "a frame of \(length) bytes")
        }
        guard left >= 4 + length else { return nil }
        var reader = FrameReader(bytes: buffer[position + 4..<position + 4 + length])
        position += 4 + length
        return try reader.frame()
    }
}

/// Takes one frame apart; nothing of it is believed before it is counted.
private struct FrameReader {
    var bytes: ArraySlice<UInt8>

    mutating func frame() throws(FrameFault) -> ReplicaFrame {
        let number: UInt8 = try integer()
        guard let kind = ReplicaFrame.Kind(rawValue: number) else {
            throw FrameFault(description: "a frame of unknown kind \(number)")
        }
        let call: UInt64 = try integer()
        switch kind {
        case .hello: return .hello(Array(bytes))
        case .prepare: return .prepare(call: call, Array(bytes))
        case .prepared: return .prepared(call: call, Array(bytes))
        case .commit: return .commit(call: call)
        case .discard: return .discard
        case .predict: return .predict(call: call, try request())
        case .reply: return .reply(call: call, try reply())
        case .ping: return .ping
        case .pong: return .pong
        }
    }

    private mutating func request() throws(FrameFault) -> PredictRequest {
        let name = try text()
        guard let style = PredictRequest.Style(rawValue: name) else {
            throw FrameFault(description: "a request of unknown style")
        }
        let jsonSize: Int64 = try integer()
        let requestID = try text()
        let loadCommand = try text()
        var request = PredictRequest(
            body: ByteBuffer(bytes: bytes), requestID: requestID, loadCommand: loadCommand)
        request.style = style
        request.jsonSize = jsonSize < 0 ? nil : Int(jsonSize)
        return request
    }

    private mutating func reply() throws(FrameFault) -> Reply {
        let status: UInt16 = try integer()
        let rowCount: UInt32 = try integer()
        let contentType = try text()
        let rejection = try text()
        var headers: [(name: String, value: String)] = []
        let count: UInt16 = try integer()
        for _ in 0..<count { headers.append((try text(), try text())) }
        var reply = Reply(status: Int(status), contentType: contentType, body: Array(bytes))
        reply.headers = headers
        reply.rowCount = Int(rowCount)
        reply.rejection = rejection.isEmpty ? nil : rejection
        return reply
    }

    private mutating func text() throws(FrameFault) -> String {
        let count: UInt16 = try integer()
        guard bytes.count >= Int(count) else { throw FrameFault(description: "a frame cut short") }
        defer { bytes = bytes.dropFirst(Int(count)) }
        return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }

    private mutating func integer<Value: FixedWidthInteger>() throws(FrameFault) -> Value {
        let size = MemoryLayout<Value>.size
        guard bytes.count >= size else { throw FrameFault(description: "a frame cut short") }
        defer { bytes = bytes.dropFirst(size) }
        var value = Value.zero
        for (index, byte) in bytes.prefix(size).enumerated() {
            value |= Value(truncatingIfNeeded: byte) << Value(8 * index)
        }
        return value
    }
}
