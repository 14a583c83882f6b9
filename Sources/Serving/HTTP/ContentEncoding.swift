import NIOCore

/// Packed request bodies: `gzip` (RFC 1952) and `deflate` (RFC 1950, or bare as some clients send
/// it).
///
/// A body may unpack to at most a hundred times its size and within the body limit, so that a few
/// kilobytes cannot fill the memory.
enum ContentEncoding {
    enum Failure: Error, Equatable {
        case unknown(String)
        case malformed(String)
        case tooLarge
    }

    /// Unpacked bytes for each packed one; JSON of numbers reaches about 20.
    static let ratioMax = 100

    static func unpack(
        _ body: ByteBuffer, encoding: String?, limit: Int
    ) throws(Failure) -> ByteBuffer {
        let name = encoding?.lowercased().filter { $0 != " " } ?? ""
        switch name {
        case "", "identity": return body
        case "gzip", "x-gzip", "deflate": break
        default: throw .unknown(name)
        }
        let limit = min(limit, body.readableBytes * ratioMax)
        let data = try body.withUnsafeReadableBytes { raw throws(Failure) in
            let bytes = raw.assumingMemoryBound(to: UInt8.self)
            return name == "deflate"
                ? try deflate(bytes, limit: limit) : try gzip(bytes, limit: limit)
        }
        return ByteBuffer(bytes: data)
    }

    private static func inflate(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, limit: Int
    ) throws(Failure) -> (data: [UInt8], end: Int) {
        do {
            return try Inflater.inflate(bytes, from: start, limit: limit)
        } catch {
            switch error {
            case .tooLarge: throw .tooLarge
            case .malformed(let text): throw .malformed(text)
            }
        }
    }

    /// One or more members, each with its own header and checksum.
    private static func gzip(
        _ bytes: UnsafeBufferPointer<UInt8>, limit: Int
    ) throws(Failure) -> [UInt8] {
        var data: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let start = try endOfHeader(bytes, from: position)
            let member = try inflate(bytes, from: start, limit: limit - data.count)
            guard member.end + 8 <= bytes.count else { throw .malformed("gzip ends early") }
            guard little(bytes, member.end) == CRC32.checksum(of: member.data),
                little(bytes, member.end + 4) == UInt32(truncatingIfNeeded: member.data.count)
            else { throw .malformed("the gzip checksum does not match") }
            data += member.data
            position = member.end + 8
        }
        return data
    }

    private static func endOfHeader(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int
    ) throws(Failure) -> Int {
        func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }
        guard byte(start) == 0x1F, byte(start + 1) == 0x8B, byte(start + 2) == 8 else {
            throw .malformed("this is not gzip")
        }
        let flags = byte(start + 3)
        var position = start + 10
        if flags & 4 != 0 { position += 2 + Int(byte(position)) + Int(byte(position + 1)) << 8 }
        for flag: UInt8 in [8, 16] where flags & flag != 0 {  // a name and a comment end with 0
            while position < bytes.count, bytes[position] != 0 { position += 1 }
            position += 1
        }
        if flags & 2 != 0 { position += 2 }
        guard position < bytes.count else { throw .malformed("gzip ends early") }
        return position
    }

    private static func deflate(
        _ bytes: UnsafeBufferPointer<UInt8>, limit: Int
    ) throws(Failure) -> [UInt8] {
        guard bytes.count >= 2 else { throw .malformed("deflate ends early") }
        let header = Int(bytes[0]) << 8 | Int(bytes[1])
        guard bytes[0] & 15 == 8, header % 31 == 0, bytes[1] & 0x20 == 0 else {
            return try inflate(bytes, from: 0, limit: limit).data
        }
        let stream = try inflate(bytes, from: 2, limit: limit)
        guard stream.end + 4 <= bytes.count else { throw .malformed("deflate ends early") }
        guard little(bytes, stream.end).byteSwapped == adler32(of: stream.data) else {
            throw .malformed("the deflate checksum does not match")
        }
        return stream.data
    }

    private static func little(_ bytes: UnsafeBufferPointer<UInt8>, _ index: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[index + $1]) << UInt32(8 * $1) }
    }

    private static func adler32(of data: [UInt8]) -> UInt32 {
        var (low, high): (UInt32, UInt32) = (1, 0)
        for byte in data {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }
}

/// The checksum of gzip members, by a table of 256 remainders.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
        }
    }

    static func checksum(of data: [UInt8]) -> UInt32 {
        ~data.reduce(~0) { table[Int(($0 ^ UInt32($1)) & 0xFF)] ^ $0 >> 8 }
    }
}
