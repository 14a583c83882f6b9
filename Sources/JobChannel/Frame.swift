#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One `ChannelMessage` as bytes.
///
/// Layout, integers big-endian: u32 length of all that follows | u8 frame version | u32 header
/// length | header (JSON, or a `CompactHeader`) | payload (the rest). The frame version changes
/// when this layout does; the meaning of the messages has its own version, exchanged in `hello`
/// and `welcome`.
package enum Frame {
    package static let version: UInt8 = 2
    package static let headerMax = 64 << 10
    /// Inputs and results over 64 KiB travel as blobs; a job's final result may be larger.
    package static let payloadMax = (1 << 20) + (4 << 10)

    static let lengthSize = 4
    /// Frame version and header length.
    static let prefixSize = 5
    static let bodyMax = prefixSize + headerMax + payloadMax

    /// - Throws: `ChannelError.tooLarge` when the header or the payload is over its bound.
    package static func encode(_ message: ChannelMessage) throws(ChannelError) -> [UInt8] {
        let header: [UInt8]
        if let compact = CompactHeader.encode(message.header) {
            header = compact
        } else {
            header = try encodeHeader(message.header)
        }
        try check("a frame's header", header.count, isAtMost: headerMax)
        try check("a frame's payload", message.payload.count, isAtMost: payloadMax)
        let bodySize = prefixSize + header.count + message.payload.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lengthSize + bodySize)
        append(UInt32(bodySize), to: &bytes)
        bytes.append(version)
        append(UInt32(header.count), to: &bytes)
        bytes.append(contentsOf: header)
        bytes.append(contentsOf: message.payload)
        return bytes
    }

    /// Reads what stands after the length field.
    static func decode(body: ArraySlice<UInt8>) throws(ChannelError) -> ChannelMessage {
        guard body.count >= prefixSize, let version = body.first else {
            throw .malformed("\(body.count) bytes are too few for a frame")
        }
        guard version == Self.version else { throw .unknownFrameVersion(version) }
        let headerSize = Int(readUInt32(body.dropFirst()))
        try check("a frame's header", headerSize, isAtMost: headerMax)
        let rest = body.dropFirst(prefixSize)
        guard headerSize <= rest.count else {
            throw .malformed("the header is \(headerSize) bytes long in \(rest.count) bytes")
        }
        let payload = rest.dropFirst(headerSize)
        try check("a frame's payload", payload.count, isAtMost: payloadMax)
        return ChannelMessage(
            try decodeHeader(rest.prefix(headerSize)), payload: Array(payload))
    }

    static func readUInt32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func encodeHeader(
        _ header: ChannelMessage.Header
    ) throws(ChannelError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(header))
        } catch {
            throw .malformed("the header cannot be written as JSON: \(error)")
        }
    }

    private static func decodeHeader(
        _ bytes: ArraySlice<UInt8>
    ) throws(ChannelError) -> ChannelMessage.Header {
        if let header = try CompactHeader.decode(bytes) { return header }
        do {
            return try JSONDecoder().decode(ChannelMessage.Header.self, from: Data(bytes))
        } catch {
            throw .malformed("the header is no message of this version")
        }
    }

    static func check(
        _ what: String, _ bytes: Int, isAtMost limit: Int
    ) throws(ChannelError) {
        guard bytes <= limit else { throw .tooLarge(what: what, bytes: bytes, limit: limit) }
    }
}

/// Cuts a stream of bytes into messages. Holds at most one unfinished frame.
package struct FrameReader: Sendable {
    private var buffer: [UInt8] = []
    /// Bytes of `buffer` that were already handed out.
    private var consumed = 0

    package init() {}

    /// True when the stream may end here without cutting a frame.
    package var isBetweenFrames: Bool { consumed == buffer.count }

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        if consumed == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 256 << 10)
            consumed = 0
        } else if consumed > 64 << 10 {
            buffer.removeFirst(consumed)
            consumed = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole message, or nil until more bytes come.
    ///
    /// - Throws: after which the stream has lost its place and must not be read on.
    package mutating func next() throws(ChannelError) -> ChannelMessage? {
        let available = buffer.count - consumed
        guard available >= Frame.lengthSize else { return nil }
        let bodySize = Int(Frame.readUInt32(buffer[consumed...]))
        try Frame.check("a frame", bodySize, isAtMost: Frame.bodyMax)
        guard available >= Frame.lengthSize + bodySize else { return nil }
        let start = consumed + Frame.lengthSize
        let message = try Frame.decode(body: buffer[start..<(start + bodySize)])
        consumed = start + bodySize
        return message
    }
}
