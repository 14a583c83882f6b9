#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Bytes that never change and stay at one address for as long as somebody holds them: memory of
/// this process, or a file that any number of processes map and the machine holds once.
package final class ByteStorage: @unchecked Sendable {
    private let bytes: UnsafeRawBufferPointer
    private let owner: Owner

    /// Who gets the memory back.
    private enum Owner {
        case allocator
        case pages(HugePages)
        case file(start: UnsafeMutableRawPointer, size: Int)
    }

    /// How many bytes there are.
    package var count: Int { bytes.count }

    /// What a cache line and the widest vector register hold.
    package static let alignment = 64

    /// Memory that `fill` writes from the first byte to the last.
    package init(count: Int, filledBy fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(1, count), alignment: Self.alignment)
        fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        bytes = UnsafeRawBufferPointer(rebasing: memory[..<count])
        owner = .allocator
    }

    /// A copy of other bytes.
    package convenience init(copying other: some Sequence<UInt8>) {
        let array = Array(other)
        self.init(count: array.count) { memory in
            array.withUnsafeBytes { memory.copyMemory(from: $0) }
        }
    }

    /// Memory that goes back to the system with this value where it is large; nil if there is none
    /// to be had. `fill` writes from the first byte on and returns how many it wrote.
    package init?(pagesFor count: Int, filledBy fill: (UnsafeMutableRawBufferPointer) -> Int) {
        guard count >= HugePages.pageSize else {
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(1, count), alignment: Self.alignment)
            let written = fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
            bytes = UnsafeRawBufferPointer(rebasing: memory[..<min(count, written)])
            owner = .allocator
            return
        }
        guard let pages = HugePages(count: count) else { return nil }
        let written = fill(UnsafeMutableRawBufferPointer(start: pages.place, count: count))
        bytes = UnsafeRawBufferPointer(start: pages.place, count: min(count, written))
        owner = .pages(pages)
    }

    /// A file, which nobody may write to or shorten while it is mapped: a blob of the worker's,
    /// which stands under its digest.
    package init(mappingFileAt path: String) throws(DatasetError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unreadable(path) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw Self.unreadable(path) }
        let count = Int(facts.st_size)
        guard count > 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(file: path, reason: "it is empty or no plain file")
        }
        guard let address = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0),
            address != MAP_FAILED
        else { throw Self.unreadable(path) }
        bytes = UnsafeRawBufferPointer(start: address, count: count)
        owner = .file(start: address, size: count)
    }

    /// Calls `body` with the bytes, which stay until it returns.
    package func withBytes<Result, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(self) { () throws(Failure) in try body(bytes) }
    }

    deinit {
        switch owner {
        case .allocator: UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.deallocate()
        case .pages(let pages): pages.unmap()
        case .file(let start, let size): munmap(start, size)
        }
    }

    private static func unreadable(_ path: String) -> DatasetError {
        .unreadable(file: path, reason: String(cString: strerror(errno)))
    }
}

/// The bytes of a part of a storage, which lives as long as this value.
struct SharedBytes: Sendable {
    private let storage: ByteStorage
    private let range: Range<Int>

    /// All bytes of a storage.
    init(_ storage: ByteStorage) {
        self.init(storage, 0..<storage.count)
    }

    /// Some bytes of a storage, which must have them.
    init(_ storage: ByteStorage, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= storage.count)
        self.storage = storage
        self.range = range
    }

    var count: Int { range.count }

    subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < range.count)
        return storage.withBytes { $0[range.lowerBound + index] }
    }

    /// For hot loops: the bytes at their address.
    func withUnsafeBufferPointer<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result {
        try storage.withBytes {
            try body(
                UnsafeRawBufferPointer(rebasing: $0[range]).assumingMemoryBound(to: UInt8.self))
        }
    }
}
