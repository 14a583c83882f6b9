import Foundation
import NIOCore

/// The model repository extension: what could be served, and loading and unloading by name. A load
/// leaves the model of routes without a name as it is.
extension GatewayHandlers {
    func repository(_ route: Route, _ call: Call) async -> Reply {
        let body: [String: Any]
        switch Self.object(in: call.body) {
        case .some(let object): body = object
        case .none: return Self.protocolError(400, "the body must be empty or a JSON object")
        }
        let name = call.names.model ?? ""
        switch route {
        case .repositoryIndex: return await index(onlyReady: body["ready"] as? Bool ?? false)
        case .repositoryUnload: return await unload(name)
        default: return await load(name, body["parameters"] as? [String: Any] ?? [:], call)
        }
    }

    /// The body's object, empty for an empty body; nil for anything else. Bodies are small here.
    private static func object(in body: ByteBuffer) -> [String: Any]? {
        let isEmpty = body.readableBytesView.allSatisfy { $0 <= 0x20 }
        if isEmpty { return [:] }
        let data = Data(body.readableBytesView)
        return (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
    }

    /// Models in memory, then those that the registry has beside them if it answers.
    private func index(onlyReady: Bool) async -> Reply {
        var writer = JSONWriter(capacity: 1_024)
        writer.openArray()
        let loaded = models.listings
        for listing in loaded where listing.isReady || !onlyReady {
            let state = listing.isReady ? "READY" : "UNAVAILABLE"
            Self.write(listing.version.name, listing.version.version, state, "", to: &writer)
        }
        if !onlyReady {
            let known = Set(loaded.map(\.version.name))
            for name in await registeredNames() where !known.contains(name) {
                Self.write(name, "", "UNAVAILABLE", "not loaded", to: &writer)
            }
        }
        writer.closeArray()
        return Reply(body: writer.bytes)
    }

    /// What is registered, nothing where the registry does not answer at once: what is served here
    /// must be told without it.
    private func registeredNames() async -> [String] {
        let source = source
        return await withTaskGroup(of: [String]?.self) { group in
            group.addTask { try? await source.modelNames() }
            group.addTask {
                // Cancelled when the registry has answered.
                try? await Task.sleep(for: .seconds(2))
                return nil
            }
            defer { group.cancelAll() }
            return (await group.next() ?? nil)?.sorted() ?? []
        }
    }

    private static func write(
        _ name: String, _ version: String, _ state: String, _ reason: String,
        to writer: inout JSONWriter
    ) {
        writer.openObject()
        writer.field("name", name)
        writer.field("version", version)
        writer.field("state", state)
        writer.field("reason", reason)
        writer.closeObject()
    }

    private func load(_ name: String, _ parameters: [String: Any], _ call: Call) async -> Reply {
        // Triton's clients can send a configuration and files; serving others than asked would lie.
        if let key = parameters.keys.sorted().first(where: { $0 != "version" }) {
            return Self.protocolError(
                400,
                "parameter '\(Echo.cut(key, to: 64))' is not supported; models come from the "
                    + "registry")
        }
        var selector = ModelSelector(name: name)
        switch parameters["version"] {
        case nil: break
        case let text as String: selector.version = text
        case let number as Int: selector.version = String(number)
        default: return Self.protocolError(400, "version must be a string or an integer")
        }
        do throws(GatewayError) {
            _ = try await loader.load(selector, asCurrent: false)
            return Reply(body: [])
        } catch {
            let problem = LoadReply.problem(for: error, loadCommand: loadCommand(call))
            var reply = Self.protocolError(
                problem.status == 422 ? 400 : problem.status, problem.detail)
            if let seconds = problem.retryAfter {
                reply = reply.with(header: "Retry-After", String(seconds))
            }
            return reply
        }
    }

    private func unload(_ name: String) async -> Reply {
        guard models.listing(of: name) != nil else {
            return Self.protocolError(404, "Model \(Echo.cut(name, to: 256)) not found")
        }
        do throws(GatewayError) {
            _ = try await loader.unload(name)
            return Reply(body: [])
        } catch {
            return Self.protocolError(503, "\(error)")
        }
    }
}
