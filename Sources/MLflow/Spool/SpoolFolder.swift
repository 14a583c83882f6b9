internal import Foundation

/// The spools of one process's runs: a folder each, named so that they sort in the order in which
/// the runs began.
enum SpoolFolder {
    /// Runs that are looked at in one folder.
    static let runCountMax = 10_000

    /// Where the spool of a new run goes.
    static func newRun(in folder: String, at time: Int64) -> String {
        let digits = String(max(0, time))
        let padding = String(repeating: "0", count: max(0, 15 - digits.count))
        return "\(folder)/run-\(padding)\(digits)-\(SpoolFiles.hexID().prefix(8))"
    }

    /// The runs' folders, in order.
    static func runs(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasPrefix("run-") }.sorted().prefix(runCountMax).map {
            folder + "/" + $0
        }
    }

    /// Another run in the folder of this one; nil when it has no id yet.
    static func run(beside folder: String, named name: String) -> SpoolRun? {
        guard let path = try? ArtifactPath(name), path.segments.count == 1 else { return nil }
        return SpoolFile.run(in: (folder as NSString).deletingLastPathComponent + "/" + name)
    }
}
