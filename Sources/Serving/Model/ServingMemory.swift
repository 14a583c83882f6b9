import Foundation

/// What was loaded last, kept on disk so that a restarted gateway serves the same versions.
struct ServingMemory: Sendable {
    /// What the file says.
    struct Choice: Codable, Sendable, Hashable {
        /// The file's form; another number is refused.
        var format = 1
        /// What answers routes without a name; nil after an unload that left others.
        var model: ServableVersion?
        /// What the gateway was configured to load then. If that has changed since, the file is
        /// stale.
        var configured: ModelSelector?
        /// Further models, asked for by name.
        var others: [ServableVersion]?
        /// The names of pinned models.
        var pinned: [String]?
    }

    private let path: String?
    private static let bytesMax = 1 << 20

    init(stateDirectory: String?) {
        path = stateDirectory.map { $0 + "/serving.json" }
    }

    /// The remembered choice; nil where there is none, or none that can be read.
    func recall() -> Choice? {
        guard let path, let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: Self.bytesMax),
            let choice = try? JSONDecoder().decode(Choice.self, from: data), choice.format == 1
        else { return nil }
        return choice
    }

    /// Keeps a choice in place of the last one; the file changes in one step.
    func remember(_ choice: Choice) throws(GatewayError) {
        guard let path else { return }
        do {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            try encoder.encode(choice).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw .storage("cannot write \(path): \(error.localizedDescription)")
        }
    }

    /// Forgets the choice, after an unload.
    func forget() {
        // A file that cannot be removed is only a model loaded once more at the next start.
        if let path { try? FileManager.default.removeItem(atPath: path) }
    }
}
