internal import Glibc

/// The address of a machine, as the kernel takes it, and whether it belongs to the public internet.
///
/// What is not surely public counts as private: loopback, private and link-local networks (cloud
/// metadata at 169.254.169.254 among them), multicast, and everything reserved (RFC 6890, 4193,
/// 6598), also where it stands inside an IPv6 address.
struct NetworkAddress: Sendable, Hashable {
    /// Four bytes, or sixteen; most significant first.
    let bytes: [UInt8]

    /// - Parameter address: a `sockaddr_in` or `sockaddr_in6`; nil for any other family, or when it
    ///   is cut short.
    init?(_ address: UnsafeRawBufferPointer) {
        guard address.count >= MemoryLayout<sockaddr>.size else { return nil }
        let family = Int32(address.loadUnaligned(as: sa_family_t.self))
        switch family {
        case AF_INET:
            bytes = Array(address[4..<8])
        case AF_INET6 where address.count >= 24:
            bytes = Array(address[8..<24])
        default:
            return nil
        }
    }

    init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    var isPublic: Bool {
        bytes.count == 4
            ? NetworkAddress.isPublic(bytes[...]) : NetworkAddress.isPublic6(bytes)
    }

    private static func isPublic(_ address: ArraySlice<UInt8>) -> Bool {
        let value = address.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !reserved.contains { value >> (32 - $0.bits) == $0.network >> (32 - $0.bits) }
    }

    private static let reserved: [(network: UInt32, bits: UInt32)] = [
        (0x0000_0000, 8),  // this network
        (0x0A00_0000, 8),  // private
        (0x6440_0000, 10),  // carriers' own
        (0x7F00_0000, 8),  // loopback
        (0xA9FE_0000, 16),  // link-local, metadata services
        (0xAC10_0000, 12),  // private
        (0xC000_0000, 24),  // protocol assignments
        (0xC000_0200, 24),  // documentation
        (0xC058_6300, 24),  // 6to4 relays
        (0xC0A8_0000, 16),  // private
        (0xC612_0000, 15),  // benchmarks
        (0xC633_6400, 24),  // documentation
        (0xCB00_7100, 24),  // documentation
        (0xE000_0000, 3),  // multicast, reserved, broadcast
    ]

    /// Global unicast is 2000::/3; within it, what carries an IPv4 address or is for documents is
    /// left out. An IPv4 address written as IPv6 (::ffff:a.b.c.d) counts as what it is.
    private static func isPublic6(_ address: [UInt8]) -> Bool {
        if address[..<10].allSatisfy({ $0 == 0 }), address[10] == 0xFF, address[11] == 0xFF {
            return isPublic(address[12...])
        }
        let start = address.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard start >> 29 == 1 else { return false }
        let isAssigned = start >> 9 == 0x2001_0000 >> 9  // Teredo and other assignments
        let isDocumentation = start == 0x2001_0DB8 || start >> 12 == 0x3FFF_0000 >> 12
        let is6to4 = start >> 16 == 0x2002
        return !isAssigned && !isDocumentation && !is6to4
    }

    /// As people write it.
    var description: String {
        if bytes.count == 4 { return bytes.map(\.description).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }
        return groups.joined(separator: ":")
    }
}
