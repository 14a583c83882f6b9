/// An array of numbers that may lie in somebody else's memory, such as a file's: a view that keeps
/// the memory alive.
package struct Column<Element: BitwiseCopyable & Sendable>: Sendable {
    private let storage: ByteStorage
    private let start: Int
    /// Elements.
    package let count: Int

    /// The elements at a place of a storage, which must have them, at an address fit for them.
    package init(_ storage: ByteStorage, at start: Int, count: Int) {
        precondition(start >= 0 && count >= 0 && start <= storage.count)
        precondition(count <= (storage.count - start) / MemoryLayout<Element>.stride)
        precondition(start % MemoryLayout<Element>.alignment == 0)
        self.storage = storage
        self.start = start
        self.count = count
    }

    /// Elements that `fill` writes, all of them.
    package init(count: Int, filledBy fill: (UnsafeMutableBufferPointer<Element>) -> Void) {
        let storage = ByteStorage(count: count * MemoryLayout<Element>.stride) {
            fill($0.bindMemory(to: Element.self))
        }
        self.init(storage, at: 0, count: count)
    }

    /// The elements of arrays, one array after the other.
    package init(joining arrays: some Collection<[Element]>) {
        self.init(count: arrays.reduce(0) { $0 + $1.count }) { elements in
            var next = 0
            for array in arrays {
                next = elements[next...].update(fromContentsOf: array)
            }
        }
    }

    /// No element.
    package static var empty: Column { Column(count: 0) { _ in } }

    package var isEmpty: Bool { count == 0 }

    package subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count)
        return withElements { $0[index] }
    }

    /// A copy of some of the elements.
    package subscript(range: Range<Int>) -> [Element] {
        withElements { Array($0[range]) }
    }

    /// For hot loops: the elements where they lie. They stay until `body` returns.
    package func withElements<Result, Failure>(
        _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withBytes { (bytes) throws(Failure) -> Result in
            let place = bytes.baseAddress.map { $0 + start }
            return try body(
                UnsafeBufferPointer(
                    start: place?.assumingMemoryBound(to: Element.self), count: count))
        }
    }

    /// The elements as they lie in memory: little-endian, as in a file.
    package func withElementBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        withElements { body(UnsafeRawBufferPointer($0)) }
    }
}
