#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A large array at a fixed place, filled with zeros.
///
/// Rows of a deep node lie far apart, and with pages of 4 KiB the processor spends more on finding
/// them than on adding them up; so the system is asked for pages of 2 MiB where it has them.
final class HugeBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int
    /// What to give back to the system; nil for memory of the allocator.
    private let mapping: (start: UnsafeMutableRawPointer, size: Int)?

    private static var pageSize: Int { 1 << 21 }

    /// `count` elements whose bytes are zero.
    init(count: Int) {
        self.count = count
        let size = max(1, count) * MemoryLayout<Element>.stride
        if size >= Self.pageSize, let start = Self.map(size + Self.pageSize) {
            mapping = (start, size + Self.pageSize)
            let address = Int(bitPattern: start)
            let aligned = (address + Self.pageSize - 1) & ~(Self.pageSize - 1)
            let place = start + (aligned - address)
            #if os(Linux)
                // Advice: where it is refused, small pages serve.
                _ = madvise(place, size, Int32(MADV_HUGEPAGE))
            #endif
            base = place.bindMemory(to: Element.self, capacity: count)
        } else {
            mapping = nil
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
            memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            base = memory.bindMemory(to: Element.self, capacity: max(1, count))
        }
    }

    deinit {
        if let mapping {
            munmap(mapping.start, mapping.size)
        } else {
            UnsafeMutableRawPointer(base).deallocate()
        }
    }

    private static func map(_ size: Int) -> UnsafeMutableRawPointer? {
        #if os(Linux)
            let flags = MAP_PRIVATE | MAP_ANONYMOUS
        #else
            let flags = MAP_PRIVATE | MAP_ANON
        #endif
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0)
        return memory == MAP_FAILED ? nil : memory
    }
}
