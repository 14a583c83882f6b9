import NIOCore
import Synchronization

/// The socket an HTTP server of ours accepts on.
final class ListeningChannel: Sendable {
    private let channel = Mutex<(any Channel)?>(nil)

    func keep(_ channel: any Channel) { self.channel.withLock { $0 = channel } }

    /// Ends accepting, and gives requests that run a moment to be answered.
    ///
    /// This comes before anything is cancelled: NIO traps when a connection arrives while the loop
    /// over connections is being cancelled.
    func close() async {
        let channel = channel.withLock { $0 }
        // Closed already is closed.
        try? await channel?.close().get()
        try? await Task.sleep(for: .milliseconds(200))
    }
}
