import Synchronization

/// Lines gathered from another thread, up to a bound; what is left out is said at the end.
final class CollectedText: Sendable {
    private struct State {
        var text = ""
        var leftOutCount = 0
    }
    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = limit }

    func add(_ line: String) {
        state.withLock { state in
            guard state.leftOutCount == 0, state.text.utf8.count + line.utf8.count < limit else {
                state.leftOutCount += 1
                return
            }
            state.text += line + "\n"
        }
    }

    var value: String {
        state.withLock { state in
            state.leftOutCount == 0
                ? state.text : state.text + "… and \(state.leftOutCount) more lines\n"
        }
    }
}
