/// A library of Lua functions that a server keeps, so that it compiles them once.
///
/// Functions (Redis 7) do what scripts do, each call as one atomic step, and begin at once: what
/// they have in common was made when the library was loaded, not at every call.
package struct RedisLibrary: Sendable {
    /// Letters, digits and `_`; what stands before the last `_` names the family.
    package let name: String
    /// Begins with `#!lua name=<name>`.
    package let text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }

    /// Libraries of one family that a server keeps: those of other versions, which may still run.
    /// With more, one that is loaded drops the others; who needs one loads it again.
    static let familyMax = 16

    /// "manta_" of "manta_0a1b": what the names of a family begin with.
    var family: String {
        name.lastIndex(of: "_").map { String(name[...$0]) } ?? name
    }
}

/// One function of a library.
package struct RedisFunction: Sendable {
    /// Its name for people, in errors: "claim".
    package let name: String
    /// Its name for the server, the only one of this name there.
    package let fullName: String
    package let library: RedisLibrary

    package init(_ name: String, in library: RedisLibrary) {
        self.name = name
        self.library = library
        fullName = "\(library.name)_\(name)"
    }

    func call(_ keys: [String], _ arguments: RedisCommand) -> RedisCommand {
        var command = RedisCommand("FCALL", fullName, String(keys.count))
        for key in keys { command.append(key) }
        command.append(contentsOf: arguments)
        return command
    }
}

extension RedisClient {
    /// Calls a function, and loads its library first where the server does not know it.
    package func run(
        _ function: RedisFunction, keys: [String] = [], arguments: RedisCommand,
        isRepeatable: Bool = true
    ) async throws(RedisError) -> RESPValue {
        let command = function.call(keys, arguments)
        // Another version may drop the library between its loading and the call.
        for _ in 0..<3 {
            do throws(RedisError) {
                return try await send(command, isRepeatable: isRepeatable)
            } catch {
                guard case .server(let refusal) = error, refusal.isUnknownFunction else {
                    throw error
                }
                try await load(function.library)
            }
        }
        return try await send(command, isRepeatable: isRepeatable)
    }

    private func load(_ library: RedisLibrary) async throws(RedisError) {
        do throws(RedisError) {
            _ = try await send(RedisCommand("FUNCTION", "LOAD", library.text))
        } catch {
            if case .server(let refusal) = error, refusal.message.contains("already exists") {
                return
            }
            throw error
        }
        let pattern = library.family + "*"
        let list = try await send(RedisCommand("FUNCTION", "LIST", "LIBRARYNAME", pattern))
        let names = (list.array ?? []).compactMap { entry in
            entry.array.flatMap { $0.count > 1 ? $0[1].string : nil }
        }
        guard names.count > RedisLibrary.familyMax else { return }
        for name in names where name != library.name {
            // Whoever else loads one may have dropped it already.
            _ = try? await send(RedisCommand("FUNCTION", "DELETE", name))
        }
    }
}

extension RedisServerError {
    /// The server restarted empty, or its functions were dropped; nothing was done.
    fileprivate var isUnknownFunction: Bool { message.hasPrefix("ERR Function not found") }
}
