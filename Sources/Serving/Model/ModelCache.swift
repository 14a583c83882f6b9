import Crypto
import Foundation

/// Downloaded model directories on disk, so that a restarted gateway needs no registry.
///
/// An entry's folder is named by a digest of the version's identity, appears whole (fetched beside
/// it, then renamed) and is only believed after its reader has checked every digest inside.
struct ModelCache: Sendable {
    private let root: String
    /// Entries kept beside those of loaded models; the least recently used go first.
    private let countMax = 4

    /// `stateDirectory` nil keeps entries in a folder of the system's temporary one.
    init(stateDirectory: String?) {
        let base =
            stateDirectory
            ?? FileManager.default.temporaryDirectory.appendingPathComponent(
                "manta-gateway-\(ProcessInfo.processInfo.processIdentifier)"
            ).path
        root = base + "/models"
    }

    /// The folder of a version already fetched, nil where it is not.
    func entry(for version: ServableVersion) -> String? {
        let path = path(for: version)
        guard FileManager.default.fileExists(atPath: path + "/MLmodel") else { return nil }
        return path
    }

    /// Makes the empty folder that a fetch fills.
    func makeIncoming() throws(GatewayError) -> String {
        let path = root + "/incoming-" + UUID().uuidString
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .storage("cannot make \(path): \(error.localizedDescription)")
        }
        return path
    }

    /// Gives a filled folder its name and returns the entry.
    func admit(_ incoming: String, as version: ServableVersion) throws(GatewayError) -> String {
        let path = path(for: version)
        do {
            try? FileManager.default.removeItem(atPath: path)
            try FileManager.default.moveItem(atPath: incoming, toPath: path)
        } catch {
            throw .storage("cannot keep \(path): \(error.localizedDescription)")
        }
        return path
    }

    /// Drops what a fetch left, or an entry that turned out to be damaged.
    func remove(_ path: String) {
        // Failing to remove costs disk only; the next prune tries again.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Notes the use of loaded entries and forgets the oldest others and what crashes left half
    /// fetched.
    func prune(keeping versions: [ServableVersion]) {
        let manager = FileManager.default
        let kept = Set(versions.map(path))
        for path in kept {
            try? manager.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
        }
        let names = (try? manager.contentsOfDirectory(atPath: root)) ?? []
        let entries = names.map { root + "/" + $0 }.compactMap { path -> (String, Date)? in
            let attributes = try? manager.attributesOfItem(atPath: path)
            return (path, attributes?[.modificationDate] as? Date ?? .distantPast)
        }
        let stale = Date().addingTimeInterval(-3_600)  // a fetch is cut off long before an hour
        for (path, changed) in entries
        where path.contains("/incoming-") && changed < stale { remove(path) }
        let whole = entries.filter { !$0.0.contains("/incoming-") && !kept.contains($0.0) }
            .sorted { $0.1 > $1.1 }
        for (path, _) in whole.dropFirst(countMax) { remove(path) }
    }

    private func path(for version: ServableVersion) -> String {
        let identity = [
            version.name, version.version, version.source, version.runID ?? "",
            String(version.creationTimestamp),
        ].map { "\($0.utf8.count):\($0)" }.joined()
        let digest = SHA256.hash(data: Array(identity.utf8))
        return root + "/"
            + digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }
}
