import DecisionForests
import Foundation
import Testing

@testable import ModelFormats

@Suite struct BoundedFileTests {
    @Test(
        "A file is read whole, whether by one thread or by several",
        arguments: [0, 1, 4_096, 1 << 21, 1 << 21 + 1, 5 << 21, 7 << 20 + 123])
    func whole(count: Int) throws {
        let path = NSTemporaryDirectory() + "bounded-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 ^ $0 >> 8 ^ $0 >> 16) }
        try Data(bytes).write(to: URL(filePath: path))
        #expect(try BoundedFile.read(path, sizeMax: count) == bytes)
        let storage = try BoundedFile.storage(path, sizeMax: count)
        #expect(storage.withBytes { $0.elementsEqual(bytes) })
        #expect(throws: ModelDirectoryError.self) {
            try BoundedFile.storage(path, sizeMax: count - 1)
        }
    }
}
