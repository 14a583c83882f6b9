/// A large array at a fixed place.
///
/// Rows of a deep node lie far apart, and with pages of 4 KiB the processor spends more on finding
/// them than on adding them up; so the system is asked for pages of 2 MiB where it has them.
final class HugeBuffer<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    let count: Int
    /// What to give back to the system; nil for memory of the allocator.
    private let pages: HugePages?

    /// `count` elements whose bytes are zero.
    convenience init(count: Int) {
        self.init(unfilledCount: count)
        guard pages == nil else { return }
        UnsafeMutableRawPointer(base).initializeMemory(
            as: UInt8.self, repeating: 0, count: max(1, count) * MemoryLayout<Element>.stride)
    }

    /// Room for `count` elements, all of which the caller writes before anybody reads one.
    init(unfilledCount count: Int) {
        self.count = count
        let size = max(1, count) * MemoryLayout<Element>.stride
        pages = size >= HugePages.pageSize ? HugePages(count: size) : nil
        let memory = pages?.place ?? .allocate(byteCount: size, alignment: 64)
        base = memory.bindMemory(to: Element.self, capacity: max(1, count))
    }

    /// Has the system give all huge pages now, each to one thread: of several threads that are the
    /// first to write to a page, each would fill one with zeros, and all but one in vain.
    func takePages() {
        guard let pages else { return }
        nonisolated(unsafe) let place = pages.place
        let size = count * MemoryLayout<Element>.stride
        HelperPool.shared.forEach(
            (size + HugePages.pageSize - 1) / HugePages.pageSize,
            threads: HelperPool.loadThreadCount
        ) { page, _ in
            place.storeBytes(of: 0, toByteOffset: page * HugePages.pageSize, as: UInt8.self)
        }
    }

    deinit {
        if let pages {
            pages.unmap()
        } else {
            UnsafeMutableRawPointer(base).deallocate()
        }
    }
}
