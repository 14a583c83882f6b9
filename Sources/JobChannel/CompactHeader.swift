/// The headers that every task costs, as a few bytes instead of JSON.
///
/// A small task passes four frames, each written and read once; as JSON they would cost more than
/// everything else between driver and executor. What is rare, or says more than these forms hold,
/// stays JSON, whose first byte is `{` and therefore no form's tag.
///
/// Layout, integers big-endian: u8 tag | fields; a text is its u16 length and UTF-8.
enum CompactHeader {
    private enum Tag: UInt8 {
        /// u64 request | text name | u64 occurrence | u64 milliCPUs | u8 attemptsMax | u8 1 when
        /// errors are retried
        case enqueue = 1
        /// u64 request
        case completed = 2
        /// u64 assignment | text task | u32 attempt | u32 milliCPUs, all ones when not said
        case run = 3
        /// u64 assignment
        case answered = 4
    }

    private static let unsaid = UInt32.max

    /// Nil for a header that has no form of its own.
    static func encode(_ header: ChannelMessage.Header) -> [UInt8]? {
        switch header {
        case .enqueue(let request, let task): encode(request, task)
        case .completed(let request, .succeeded(blob: nil)): bytes(.completed, request)
        case .answered(let assignment, .succeeded(blob: nil)): bytes(.answered, assignment)
        case .run(let assignment, let task, let attempt, nil, let milliCPUs):
            encode(assignment, task, attempt, milliCPUs)
        default: nil
        }
    }

    private static func encode(_ request: UInt64, _ task: TaskRequest) -> [UInt8]? {
        guard let name = text(task.name), let occurrence = UInt64(exactly: task.occurrence),
            let milliCPUs = UInt64(exactly: task.milliCPUs),
            let attemptsMax = UInt8(exactly: task.attemptsMax)
        else { return nil }
        // Whatever else the request says is at its usual value, or JSON says it.
        let usual = TaskRequest(
            name: task.name, occurrence: task.occurrence, milliCPUs: task.milliCPUs,
            attemptsMax: task.attemptsMax, retriesErrors: task.retriesErrors)
        guard usual == task else { return nil }
        var bytes = bytes(.enqueue, request)
        bytes += name
        append(occurrence, to: &bytes)
        append(milliCPUs, to: &bytes)
        bytes.append(attemptsMax)
        bytes.append(task.retriesErrors ? 1 : 0)
        return bytes
    }

    private static func encode(
        _ assignment: UInt64, _ task: String, _ attempt: Int, _ milliCPUs: Int?
    ) -> [UInt8]? {
        guard let name = text(task), let attempt = UInt32(exactly: attempt),
            let granted = milliCPUs.map(UInt32.init(exactly:)) ?? unsaid,
            granted != unsaid || milliCPUs == nil
        else { return nil }
        var bytes = bytes(.run, assignment)
        bytes += name
        append(attempt, to: &bytes)
        append(granted, to: &bytes)
        return bytes
    }

    private static func bytes(_ tag: Tag, _ number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        bytes.append(tag.rawValue)
        append(number, to: &bytes)
        return bytes
    }

    private static func text(_ text: String) -> [UInt8]? {
        guard let count = UInt16(exactly: text.utf8.count) else { return nil }
        var bytes: [UInt8] = []
        append(count, to: &bytes)
        return bytes + text.utf8
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    // MARK: Reading

    /// Nil when the bytes begin with no tag of these forms.
    ///
    /// - Throws: `malformed` when they begin with one and go on otherwise.
    static func decode(
        _ bytes: ArraySlice<UInt8>
    ) throws(ChannelError) -> ChannelMessage.Header? {
        guard let tag = bytes.first.flatMap(Tag.init) else { return nil }
        var reader = Reader(rest: bytes.dropFirst())
        let number = try reader.integer(UInt64.self)
        let header: ChannelMessage.Header
        switch tag {
        case .enqueue:
            header = .enqueue(
                request: number,
                TaskRequest(
                    name: try reader.text(), occurrence: try reader.int(UInt64.self),
                    milliCPUs: try reader.int(UInt64.self),
                    attemptsMax: try reader.int(UInt8.self),
                    retriesErrors: try reader.integer(UInt8.self) == 1))
        case .completed: header = .completed(request: number, .succeeded(blob: nil))
        case .answered: header = .answered(assignment: number, .succeeded(blob: nil))
        case .run:
            let task = try reader.text()
            let attempt = try reader.int(UInt32.self)
            let granted = try reader.integer(UInt32.self)
            header = .run(
                assignment: number, task: task, attempt: attempt, inputBlob: nil,
                milliCPUs: granted == unsaid ? nil : Int(granted))
        }
        guard reader.rest.isEmpty else { throw .malformed("bytes follow a compact header") }
        return header
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func integer<Value: FixedWidthInteger>(
            _ type: Value.Type
        ) throws(ChannelError) -> Value {
            let size = MemoryLayout<Value>.size
            guard rest.count >= size else { throw .malformed("a compact header is cut short") }
            defer { rest = rest.dropFirst(size) }
            return rest.prefix(size).reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
        }

        mutating func int(
            _ type: (some FixedWidthInteger & UnsignedInteger).Type
        ) throws(ChannelError) -> Int {
            guard let value = Int(exactly: try integer(type)) else {
                throw .malformed("a number of a compact header is out of range")
            }
            return value
        }

        mutating func text() throws(ChannelError) -> String {
            let count = Int(try integer(UInt16.self))
            guard rest.count >= count,
                let text = String(validating: rest.prefix(count), as: UTF8.self)
            else { throw .malformed("a text of a compact header is cut short or not UTF-8") }
            rest = rest.dropFirst(count)
            return text
        }
    }
}
