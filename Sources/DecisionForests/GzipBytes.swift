import CZlib

/// The bytes inside a gzip file of any number of members, inflated piece by piece.
///
/// It holds one piece of compressed bytes and zlib's window of 32 KiB, whatever the file says. A
/// file that grows more than the limits allow is refused before it fills the memory.
final class GzipBytes: ByteSource {
    private static let pieceSize = 1 << 16

    private let file: String
    private let stored: any ByteSource
    private let limits: ReadOptions.Limits
    /// On the heap, because zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>
    private let piece: UnsafeMutablePointer<UInt8>
    private var storedCount = 0
    private var inflatedCount = 0
    private var isInsideMember = true

    init(
        _ stored: any ByteSource, file: String, limits: ReadOptions.Limits
    ) throws(DatasetError) {
        self.stored = stored
        self.file = file
        self.limits = limits
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        piece = .allocate(capacity: Self.pieceSize)
        guard manta_inflate_gzip(stream) == Z_OK else {
            throw .unreadable(file: file, reason: "there is no memory to inflate it")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        piece.deallocate()
    }

    func read(
        into target: UnsafeMutablePointer<UInt8>, count: Int
    ) throws(DatasetError) -> Int {
        let room = min(count, 1 << 30)
        stream.pointee.next_out = target
        stream.pointee.avail_out = UInt32(room)
        while stream.pointee.avail_out == UInt32(room) {
            if stream.pointee.avail_in == 0, try !refill() { return 0 }
            if !isInsideMember {
                // gzip pads some files with zeros behind the last member.
                guard try skipZeros() else { return 0 }
                inflateReset(stream)
                isInsideMember = true
            }
            switch inflate(stream, Z_NO_FLUSH) {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: isInsideMember = false
            default: throw damaged(stream.pointee.msg.map { String(cString: $0) })
            }
        }
        let got = room - Int(stream.pointee.avail_out)
        inflatedCount += got
        try checkExpansion()
        return got
    }

    /// Reads the next compressed bytes; false at the end of the file.
    private func refill() throws(DatasetError) -> Bool {
        let got = try stored.read(into: piece, count: Self.pieceSize)
        guard got > 0 else {
            if isInsideMember { throw damaged("it ends in the middle") }
            return false
        }
        storedCount += got
        stream.pointee.next_in = piece
        stream.pointee.avail_in = UInt32(got)
        return true
    }

    /// Whether anything but zeros follows a member.
    private func skipZeros() throws(DatasetError) -> Bool {
        while true {
            while stream.pointee.avail_in > 0, let next = stream.pointee.next_in {
                if next.pointee != 0 { return true }
                stream.pointee.next_in = next + 1
                stream.pointee.avail_in -= 1
            }
            guard try refill() else { return false }
        }
    }

    private func checkExpansion() throws(DatasetError) {
        guard inflatedCount > limits.expansionFloor,
            inflatedCount / max(1, storedCount) > limits.expansion
        else { return }
        throw .unreadable(
            file: file,
            reason: "its gzip data grows more than \(limits.expansion) times; "
                + "if it is meant to, raise limits.expansion or decompress it first")
    }

    private func damaged(_ problem: String?) -> DatasetError {
        .unreadable(
            file: file, reason: "its gzip data is damaged: \(problem ?? "unknown")")
    }
}

extension DataPart {
    /// Its bytes, inflated if they are gzip's.
    func open(limits: ReadOptions.Limits) throws(DatasetError) -> any ByteSource {
        let stored = try openStored()
        let first = try stored.peek(2)
        let whole = PeekedBytes(first, then: stored)
        guard first == [0x1F, 0x8B] else { return whole }
        return try GzipBytes(whole, file: name, limits: limits)
    }
}

extension ByteSource {
    /// The next `count` bytes, which the source has then given; fewer if there are no more.
    func peek(_ count: Int) throws(DatasetError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var held = 0
        while held < count {
            var byte: UInt8 = 0
            guard try read(into: &byte, count: 1) == 1 else { break }
            bytes[held] = byte
            held += 1
        }
        return Array(bytes.prefix(held))
    }
}
