/// Writes protobuf's wire format: as much of it as ONNX needs, nothing generated.
///
/// Fields appear in the order of the calls, so equal calls give equal bytes.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    private enum WireType: UInt64 {
        case varint = 0
        case lengthDelimited = 2
        case fixed32 = 5
    }

    mutating func integer(_ field: UInt64, _ value: Int64) {
        tag(field, .varint)
        varint(UInt64(bitPattern: value))
    }

    mutating func string(_ field: UInt64, _ value: String) {
        data(field, Array(value.utf8))
    }

    mutating func data(_ field: UInt64, _ value: [UInt8]) {
        tag(field, .lengthDelimited)
        varint(UInt64(value.count))
        bytes += value
    }

    mutating func message(_ field: UInt64, _ build: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        build(&inner)
        data(field, inner.bytes)
    }

    /// A packed repeated field of integers.
    mutating func integers(_ field: UInt64, _ values: [Int64]) {
        message(field) { inner in
            values.forEach { inner.varint(UInt64(bitPattern: $0)) }
        }
    }

    mutating func float(_ field: UInt64, _ value: Float) {
        tag(field, .fixed32)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A packed repeated field of float32 numbers.
    mutating func floats(_ field: UInt64, _ values: [Float]) {
        data(field, values.map(\.bitPattern.littleEndian).withUnsafeBytes { Array($0) })
    }

    private mutating func tag(_ field: UInt64, _ type: WireType) {
        varint(field << 3 | type.rawValue)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
