import Foundation
import ModelFormats

/// Where a model directory will stand. It is written beside that place and moved there whole, so
/// that nobody ever sees half of one.
struct ModelPlace: Sendable {
    /// Absolute.
    let path: String
    /// A hidden folder in the same parent.
    let temporary: String

    /// A place at `path`, its temporary folder made, so that what cannot be written is known before
    /// anything is learned.
    ///
    /// - Throws: exit code 4 if something is there that may not be replaced. `force` replaces a
    ///   model directory, nothing else.
    init(_ path: String, force: Bool) throws {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        self.path = url.path
        let parent = url.deletingLastPathComponent()
        temporary =
            parent.appendingPathComponent(
                ".\(url.lastPathComponent).\(getpid())-\(UInt16.random(in: 0 ... .max)).partial"
            ).path
        try Self.check(self.path, force: force)
        do {
            try FileManager.default.createDirectory(
                atPath: temporary, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure("\(parent.path) cannot be written: \(error.localizedDescription).")
        }
    }

    private static func check(_ path: String, force: Bool) throws {
        let files = FileManager.default
        guard files.fileExists(atPath: path) else { return }
        guard let content = try? files.contentsOfDirectory(atPath: path) else {
            throw CommandFailure(
                "\(path) is a file; --model names a folder.",
                code: ExitStatus.conflict)
        }
        if content.isEmpty { return }
        guard content.contains(ModelDirectory.mlmodelPath) else {
            throw CommandFailure(
                "\(path) is there and is no model; choose another place.",
                code: ExitStatus.conflict)
        }
        guard force else {
            throw CommandFailure(
                "\(path) is there already; --force replaces it.", code: ExitStatus.conflict)
        }
    }

    /// Moves what was written to its place; an old model there goes away.
    func moveIn() throws {
        let files = FileManager.default
        let old = temporary + ".old"
        let hadOld = rename(path, old) == 0
        guard rename(temporary, path) == 0 else {
            let cause = String(cString: strerror(errno))
            if hadOld { rename(old, path) }
            throw CommandFailure("the model cannot be moved to \(path): \(cause).")
        }
        if hadOld { try? files.removeItem(atPath: old) }
    }

    /// Removes what was written.
    func discard() {
        try? FileManager.default.removeItem(atPath: temporary)
    }
}
