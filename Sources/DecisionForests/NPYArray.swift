/// The numbers of one NPY file, read piece by piece.
final class NPYArray {
    let header: NPYHeader
    private let file: String
    private let source: any ByteSource
    private var piece: UnsafeMutableBufferPointer<UInt8>

    init(_ part: DataPart, limits: ReadOptions.Limits) throws(DatasetError) {
        file = part.name
        source = try part.open(limits: limits)
        header = try Self.readHeader(source, file: part.name)
        piece = .allocate(capacity: 1 << 20)
    }

    deinit { piece.deallocate() }

    private static func readHeader(
        _ source: any ByteSource, file: String
    ) throws(DatasetError) -> NPYHeader {
        let start = try source.peek(8)
        guard start.count == 8, start.starts(with: NPYHeader.mark) else {
            throw .unreadable(file: file, reason: "it does not start as an NPY file does")
        }
        guard (1...3).contains(start[6]), start[7] == 0 else {
            throw .unreadable(
                file: file, reason: "NPY version \(start[6]).\(start[7]) is unknown, 1 to 3 work")
        }
        let sizes = try source.peek(start[6] == 1 ? 2 : 4)
        let length = sizes.reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= NPYHeader.textLengthMax else {
            throw .unreadable(file: file, reason: "its header of \(length) bytes is too long")
        }
        let text = try source.peek(length)
        guard text.count == length else {
            throw .unreadable(file: file, reason: "it ends inside its header")
        }
        do throws(NPYHeader.Problem) {
            return try NPYHeader(text)
        } catch {
            throw .unreadable(file: file, reason: error.text)
        }
    }

    /// Passes on `count` numbers, some at a time: their bytes, the first one's index, how many.
    func read(
        _ count: Int, _ body: (UnsafePointer<UInt8>, Int, Int) throws(DatasetError) -> Void
    ) throws(DatasetError) {
        guard let base = piece.baseAddress else { return }
        let size = header.element.size
        var done = 0
        while done < count {
            let wanted = min(count - done, piece.count / size)
            let got = try source.readFully(into: base, count: wanted * size)
            guard got == wanted * size else {
                throw .unreadable(
                    file: file, reason: "it has fewer numbers than its header says")
            }
            try body(UnsafePointer(base), done, wanted)
            done += wanted
        }
    }

    /// Nothing may follow the numbers.
    func expectEnd() throws(DatasetError) {
        guard try source.peek(1).isEmpty else {
            throw .unreadable(file: file, reason: "it has more numbers than its header says")
        }
    }
}

extension NPYHeader.Element {
    /// The number at `bytes`, rounded to float32.
    @inline(__always)
    func float(_ bytes: UnsafePointer<UInt8>) -> Float {
        let bits = word(bytes)
        switch kind {
        case .float:
            return size == 4
                ? Float(bitPattern: UInt32(truncatingIfNeeded: bits))
                : Float(Double(bitPattern: bits))
        case .signed: return Float(signed(bits))
        case .unsigned: return Float(bits)
        case .boolean: return bits == 0 ? 0 : 1
        }
    }

    /// The number at `bytes` if it is whole and fits.
    func integer(_ bytes: UnsafePointer<UInt8>) -> Int64? {
        let bits = word(bytes)
        switch kind {
        case .float:
            return size == 4
                ? Int64(exactly: Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
                : Int64(exactly: Double(bitPattern: bits))
        case .signed: return signed(bits)
        case .unsigned: return Int64(exactly: bits)
        case .boolean: return bits == 0 ? 0 : 1
        }
    }

    /// The bytes as an integer of their size.
    @inline(__always)
    private func word(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
        let raw = UnsafeRawPointer(bytes)
        switch size {
        case 1: return UInt64(bytes[0])
        case 2:
            let word = raw.loadUnaligned(as: UInt16.self)
            return UInt64(isBigEndian ? UInt16(bigEndian: word) : UInt16(littleEndian: word))
        case 4:
            let word = raw.loadUnaligned(as: UInt32.self)
            return UInt64(isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word))
        default:
            let word = raw.loadUnaligned(as: UInt64.self)
            return isBigEndian ? UInt64(bigEndian: word) : UInt64(littleEndian: word)
        }
    }

    private func signed(_ bits: UInt64) -> Int64 {
        let unused = UInt64(64 - size * 8)
        return Int64(bitPattern: bits << unused) >> Int64(unused)
    }
}
