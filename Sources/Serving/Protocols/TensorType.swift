/// The Open Inference Protocol's names for what a tensor's elements are.
enum TensorType: String, Sendable {
    case bool = "BOOL"
    case uint8 = "UINT8"
    case uint16 = "UINT16"
    case uint32 = "UINT32"
    case uint64 = "UINT64"
    case int8 = "INT8"
    case int16 = "INT16"
    case int32 = "INT32"
    case int64 = "INT64"
    case fp16 = "FP16"
    case bf16 = "BF16"
    case fp32 = "FP32"
    case fp64 = "FP64"
    case bytes = "BYTES"

    /// Bytes of one element in binary form; nil where each has its own length.
    var width: Int? {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .fp16, .bf16: 2
        case .uint32, .int32, .fp32: 4
        case .uint64, .int64, .fp64: 8
        case .bytes: nil
        }
    }

    /// The values that a whole number of this type may have; nil for other types. The ends of
    /// 64 bits are the nearest Doubles.
    var range: ClosedRange<Double>? {
        switch self {
        case .uint8: 0...255
        case .uint16: 0...65_535
        case .uint32: 0...4_294_967_295
        case .uint64: 0...0x1p64
        case .int8: -128...127
        case .int16: -32_768...32_767
        case .int32: -2_147_483_648...2_147_483_647
        case .int64: -0x1p63...0x1p63
        case .bool, .fp16, .bf16, .fp32, .fp64, .bytes: nil
        }
    }

    /// The name in Triton's model configuration.
    var configurationName: String { "TYPE_" + (self == .bytes ? "STRING" : rawValue) }

    /// The element at byte `offset`, little-endian; the caller has checked that it is there.
    @inline(__always)
    func number(at offset: Int, in bytes: UnsafeRawBufferPointer) -> Double {
        func load<Value: FixedWidthInteger>(_ type: Value.Type) -> Value {
            Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: type))
        }
        switch self {
        case .fp32: return Double(Float(bitPattern: load(UInt32.self)))
        case .fp64: return Double(bitPattern: load(UInt64.self))
        case .int64: return Double(load(Int64.self))
        case .int32: return Double(load(Int32.self))
        case .int16: return Double(load(Int16.self))
        case .int8: return Double(load(Int8.self))
        case .uint64: return Double(load(UInt64.self))
        case .uint32: return Double(load(UInt32.self))
        case .uint16: return Double(load(UInt16.self))
        case .uint8: return Double(load(UInt8.self))
        case .bool: return load(UInt8.self) == 0 ? 0 : 1
        case .bf16: return Double(Float(bitPattern: UInt32(load(UInt16.self)) << 16))
        case .fp16: return Self.half(load(UInt16.self))
        case .bytes: return .nan
        }
    }

    /// IEEE 754's half precision: 1 bit of sign, 5 of exponent, 10 of fraction.
    private static func half(_ bits: UInt16) -> Double {
        let sign: Double = bits & 0x8000 == 0 ? 1 : -1
        let exponent = Int(bits >> 10 & 31)
        let fraction = Double(bits & 1_023)
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default:
            return sign * Double(sign: .plus, exponent: exponent - 15, significand: 1)
                * (1 + fraction / 1_024)
        }
    }
}
