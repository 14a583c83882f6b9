import Foundation
import ModelFormats

/// Where a model directory will stand. It is written beside that place and moved there whole, so
/// that nobody ever sees half of one.
struct ModelPlace: Sendable {
    /// Absolute.
    let path: String
    /// A hidden folder in the same parent.
    let temporary: String
    /// Tells later runs that `temporary` is somebody's.
    private let claim: FolderLock?

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
        Self.removeAbandoned(beside: url)
        do {
            try FileManager.default.createDirectory(
                atPath: temporary, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure("\(parent.path) cannot be written: \(error.localizedDescription).")
        }
        claim = FolderLock(itself: temporary)
    }

    /// Removes what runs for the same place left that were killed: their folders are nobody's.
    ///
    /// A folder younger than a minute may be another run's that has not claimed it yet. An old
    /// model that was about to be replaced stays: it may be the only one.
    private static func removeAbandoned(beside place: URL) {
        let parent = place.deletingLastPathComponent()
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: parent.path)) ?? [] {
            guard name.hasPrefix(".\(place.lastPathComponent)."), name.hasSuffix(".partial") else {
                continue
            }
            // A process and a number; another model's name would add more.
            let owner = name.dropFirst(place.lastPathComponent.count + 2).dropLast(8)
            let numbers = owner.split(separator: "-", omittingEmptySubsequences: false)
            guard numbers.count == 2, numbers.allSatisfy({ Int($0) != nil }) else { continue }
            let folder = parent.appendingPathComponent(name).path
            let facts = try? files.attributesOfItem(atPath: folder)
            guard let changed = facts?[.modificationDate] as? Date,
                changed < Date(timeIntervalSinceNow: -60), FolderLock(itself: folder) != nil
            else { continue }
            try? files.removeItem(atPath: folder)
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
