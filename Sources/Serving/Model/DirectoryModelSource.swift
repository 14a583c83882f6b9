import Foundation

/// Models that lie on this machine, without a registry.
///
/// `root` is either one MLflow model directory (it holds `MLmodel`; its name is the folder's or the
/// one given, its version 1), or a tree `root/NAME/VERSION/` of such directories.
package struct DirectoryModelSource: ModelSource {
    private let root: String
    private let singleName: String?

    package init(root: String, name: String? = nil) {
        self.root = root
        let isSingle = FileManager.default.fileExists(atPath: root + "/MLmodel")
        singleName = isSingle ? name ?? URL(fileURLWithPath: root).lastPathComponent : nil
    }

    package var displayURI: String { "file://" + root }

    package func modelNames() throws(GatewayError) -> [String] {
        if let singleName { return [singleName] }
        return try folders(of: root)
    }

    package func latestVersion(of name: String) throws(GatewayError) -> ServableVersion? {
        guard let latest = try versionNumbers(of: name).first else { return nil }
        return try version(latest, of: name)
    }

    package func version(
        _ version: String, of name: String
    ) throws(GatewayError) -> ServableVersion? {
        guard try versionNumbers(of: name).contains(version) else { return nil }
        let path = path(of: name, version: version)
        let attributes = try? FileManager.default.attributesOfItem(atPath: path + "/MLmodel")
        let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return ServableVersion(
            name: name, version: version, creationTimestamp: Int64(changed * 1_000), source: path)
    }

    /// Directories have no aliases.
    package func version(alias: String, of name: String) -> ServableVersion? { nil }

    /// Directories know no runs.
    package func version(runID: String, name: String?) -> ServableVersion? { nil }

    package func versionNumbers(of name: String) throws(GatewayError) -> [String] {
        if let singleName { return name == singleName ? ["1"] : [] }
        // Only names that the listing shows: a name from a request never becomes a path.
        guard try modelNames().contains(name) else { return [] }
        let numbers = try folders(of: root + "/" + name).compactMap(Int.init).filter { $0 > 0 }
        return numbers.sorted(by: >).map(String.init)
    }

    package func fetch(_ version: ServableVersion, into directory: String) throws(GatewayError) {
        let path = path(of: version.name, version: version.version)
        do {
            for item in try FileManager.default.contentsOfDirectory(atPath: path) {
                try FileManager.default.copyItem(
                    atPath: path + "/" + item, toPath: directory + "/" + item)
            }
        } catch {
            throw .storage("cannot copy \(path): \(error.localizedDescription)")
        }
    }

    private func path(of name: String, version: String) -> String {
        singleName == nil ? root + "/" + name + "/" + version : root
    }

    private func folders(of path: String) throws(GatewayError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).filter {
                !$0.hasPrefix(".")
            }.sorted()
        } catch {
            throw .upstream(
                hop: "model directory", reason: error.localizedDescription, timedOut: false)
        }
    }
}
