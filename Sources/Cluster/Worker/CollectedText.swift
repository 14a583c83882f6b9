import Synchronization

/// Lines gathered from another thread, up to a bound.
final class CollectedText: Sendable {
    private let limit: Int
    private let text = Mutex("")

    init(limit: Int) { self.limit = limit }

    func add(_ line: String) {
        text.withLock { text in
            guard text.utf8.count + line.utf8.count < limit else { return }
            text += line + "\n"
        }
    }

    var value: String { text.withLock { $0 } }
}
