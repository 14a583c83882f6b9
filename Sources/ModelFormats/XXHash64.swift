/// The 64-bit checksum XXH64 (Yann Collet, "xxHash fast digest algorithm", specification 0.1.1),
/// seed 0: four lanes of multiplications, as fast as memory. It finds damage, not forgery.
enum XXHash64 {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    /// The checksum of these bytes.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let stripeEnd = bytes.count / 32 * 32
        var sum = stripeEnd > 0 ? joined(bytes, end: stripeEnd) : prime5
        sum &+= UInt64(bytes.count)
        var offset = stripeEnd
        while offset + 8 <= bytes.count {
            sum ^= step(0, word(bytes, offset))
            sum = rotated(sum, 27) &* prime1 &+ prime4
            offset += 8
        }
        if offset + 4 <= bytes.count {
            let half = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            sum ^= UInt64(UInt32(littleEndian: half)) &* prime1
            sum = rotated(sum, 23) &* prime2 &+ prime3
            offset += 4
        }
        for byte in bytes[offset...] {
            sum ^= UInt64(byte) &* prime5
            sum = rotated(sum, 11) &* prime1
        }
        sum = (sum ^ (sum >> 33)) &* prime2
        sum = (sum ^ (sum >> 29)) &* prime3
        return sum ^ (sum >> 32)
    }

    /// Whole stripes of 32 bytes: one word of each for every lane.
    private static func joined(_ bytes: UnsafeRawBufferPointer, end: Int) -> UInt64 {
        var (a, b) = (prime1 &+ prime2, prime2)
        var (c, d) = (UInt64(0), 0 &- prime1)
        var offset = 0
        while offset < end {
            a = step(a, word(bytes, offset))
            b = step(b, word(bytes, offset &+ 8))
            c = step(c, word(bytes, offset &+ 16))
            d = step(d, word(bytes, offset &+ 24))
            offset &+= 32
        }
        var sum = rotated(a, 1) &+ rotated(b, 7) &+ rotated(c, 12) &+ rotated(d, 18)
        for lane in [a, b, c, d] { sum = (sum ^ step(0, lane)) &* prime1 &+ prime4 }
        return sum
    }

    @inline(__always)
    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    @inline(__always)
    private static func step(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* prime2, 31) &* prime1
    }

    @inline(__always)
    private static func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 {
        value &<< count | value &>> (64 &- count)
    }
}
