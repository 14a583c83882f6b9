#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The different texts of a column, numbered as they come.
///
/// A hash table with linear probing over one run of bytes. The order of its slots depends on a
/// random seed, so that no file can be made to fill one stretch of it; the numbers do not.
final class LevelTable {
    private struct Entry {
        let hash: UInt64
        let start: Int
        let count: Int
    }

    private let seed = UInt64.random(in: .min ... .max)
    private var slots: UnsafeMutablePointer<Int32>
    private var slotCount: Int
    private var entries: [Entry] = []
    private var bytes: UnsafeMutablePointer<UInt8>
    private var byteCount = 0
    private var byteCapacity: Int

    init() {
        slotCount = 64
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: -1, count: slotCount)
        byteCapacity = 256
        bytes = .allocate(capacity: byteCapacity)
    }

    deinit {
        slots.deallocate()
        bytes.deallocate()
    }

    /// Texts so far.
    var count: Int { entries.count }

    /// The text's number; the next one if it is new.
    func number(of text: UnsafePointer<UInt8>, count: Int) -> Int {
        let hash = hash(text, count)
        let mask = slotCount - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] >= 0 {
            let number = Int(slots[slot])
            let entry = entries[number]
            if entry.hash == hash, entry.count == count,
                memcmp(bytes + entry.start, text, count) == 0
            {
                return number
            }
            slot = (slot + 1) & mask
        }
        append(text, count, hash: hash)
        slots[slot] = Int32(truncatingIfNeeded: entries.count - 1)
        if entries.count * 2 > slotCount { widen() }
        return entries.count - 1
    }

    /// The bytes of the text of this number; valid until the next text is added.
    func text(_ number: Int) -> UnsafeBufferPointer<UInt8> {
        let entry = entries[number]
        return UnsafeBufferPointer(start: bytes + entry.start, count: entry.count)
    }

    private func append(_ text: UnsafePointer<UInt8>, _ count: Int, hash: UInt64) {
        if byteCount + count > byteCapacity {
            byteCapacity = max(byteCapacity * 2, byteCount + count)
            let wider = UnsafeMutablePointer<UInt8>.allocate(capacity: byteCapacity)
            wider.update(from: bytes, count: byteCount)
            bytes.deallocate()
            bytes = wider
        }
        (bytes + byteCount).update(from: text, count: count)
        entries.append(Entry(hash: hash, start: byteCount, count: count))
        byteCount += count
    }

    private func widen() {
        slots.deallocate()
        slotCount *= 2
        slots = .allocate(capacity: slotCount)
        slots.initialize(repeating: -1, count: slotCount)
        for (number, entry) in entries.enumerated() {
            var slot = Int(truncatingIfNeeded: entry.hash) & (slotCount - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slotCount - 1) }
            slots[slot] = Int32(truncatingIfNeeded: number)
        }
    }

    /// Multiply and fold, 8 bytes at a time.
    private func hash(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        var sum = seed ^ UInt64(truncatingIfNeeded: count)
        var at = 0
        while at + 8 <= count {
            let word = UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self)
            sum = Self.mix(sum ^ word)
            at += 8
        }
        var tail: UInt64 = 0
        while at < count {
            tail = tail &<< 8 | UInt64(text[at])
            at += 1
        }
        return Self.mix(sum ^ tail)
    }

    @inline(__always)
    private static func mix(_ value: UInt64) -> UInt64 {
        let (high, low) = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return high ^ low
    }
}
