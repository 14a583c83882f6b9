#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Memory that the system is asked to give in pages of 2 MiB: getting one of 4 KiB costs more than
/// filling it, and with many small ones the processor spends more on finding what lies far apart
/// than on reading it.
struct HugePages: @unchecked Sendable {
    /// The first byte, at the start of a huge page. All bytes are zero.
    let place: UnsafeMutableRawPointer
    private let start: UnsafeMutableRawPointer
    private let size: Int

    /// Bytes of a huge page.
    static let pageSize = 1 << 21
    /// Bytes at the end of an array from which on a huge page of their own is less work for the
    /// system than small ones: to fill it with zeros costs as much as about 120 pages of 4 KiB.
    private static let tailSizeMin = pageSize / 4

    /// Room for `count` bytes; nil if the system has none.
    init?(count: Int) {
        let tail = count % Self.pageSize
        let isRounded = tail >= Self.tailSizeMin
        let room = isRounded ? count - tail + Self.pageSize : count
        size = room + Self.pageSize
        #if os(Linux)
            let flags = MAP_PRIVATE | MAP_ANONYMOUS
        #else
            let flags = MAP_PRIVATE | MAP_ANON
        #endif
        guard let start = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0),
            start != MAP_FAILED
        else { return nil }
        self.start = start
        place = start.alignedUp(toMultipleOf: Self.pageSize)
        #if os(Linux)
            // Advice: where it is refused, small pages serve.
            _ = madvise(place, room, Int32(MADV_HUGEPAGE))
        #endif
    }

    /// Gives the memory back; nobody may look at it any more.
    func unmap() { munmap(start, size) }
}
