import Synchronization

/// A Lua script that the server runs as one atomic step.
package final class RedisScript: Sendable {
    package let name: String
    package let text: String
    private let hash = Mutex<String?>(nil)

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }

    /// The SHA-1 by which the server knows the script, once it told us.
    var knownHash: String? { hash.withLock { $0 } }

    func remember(hash: String?) { self.hash.withLock { $0 = hash } }

    func command(
        _ verb: String, _ body: String, _ keys: [String], _ arguments: RedisCommand
    ) -> RedisCommand {
        var command = RedisCommand(verb, body, String(keys.count))
        for key in keys { command.append(key) }
        command.append(contentsOf: arguments)
        return command
    }
}
