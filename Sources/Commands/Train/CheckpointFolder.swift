import DecisionForests
import Foundation
import ModelFormats

/// Where `manta train --checkpoint` keeps what a fit has finished: a file for each checkpoint,
/// named by its first tree.
///
/// A file is the mark, the SHA-256 of the training (data, learner, release), that of the rest, then
/// the checkpoint as `FitCheckpoint` writes it. It is written beside its place, synced and moved
/// there, so that a process may die at any moment. One process at a time holds the folder.
final class CheckpointFolder: Sendable {
    private static let mark = Array("MantaCP1".utf8)
    private static let prefix = "trees-"
    private static let suffix = ".checkpoint"
    private static let partialSuffix = ".checkpoint.partial"
    private static let lockName = "train.lock"
    /// A file is no larger, nor are all together; forests of that size do not fit in memory either.
    private static let sizeMax = 64 << 30

    /// Absolute.
    let path: String
    private let training: FileDigest
    private let lock: FolderLock

    /// The folder at `path`, made if need be, for this training.
    ///
    /// - Throws: exit code 2 for data that cannot be told again, 4 if another process holds the
    ///   folder.
    init(_ path: String, for recipe: TrainingRecipe) throws {
        if let pipe = recipe.data.first(where: { $0.sha256 == nil }) {
            throw CommandFailure(
                "--checkpoint needs files that can be read again; \(pipe.path) is no regular file.",
                code: ExitStatus.usage)
        }
        let release = "\(Commands.mantaVersion)\n\(try recipe.fingerprint.hex)"
        training = FileDigest(of: Array(release.utf8))
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
        guard let lock = FolderLock(self.path, file: Self.lockName) else {
            throw CommandFailure(
                "\(self.path) cannot be used for checkpoints: another training holds it, or it "
                    + "cannot be written; name another folder.", code: ExitStatus.conflict)
        }
        self.lock = lock
        for name in names() where name.hasSuffix(Self.partialSuffix) { unlink(file(name)) }
    }

    // MARK: Reading

    /// What an interrupted run of this training left; nil for nothing.
    ///
    /// - Throws: exit code 4 for checkpoints of another training, 1 for damaged ones, each naming
    ///   the next step.
    func read() throws -> FitCheckpoint? {
        var (parts, size): ([FitCheckpoint], Int) = ([], 0)
        for name in names().filter(Self.isCheckpoint).sorted() {
            let bytes = try BoundedFile.read(file(name), sizeMax: Self.sizeMax - size)
            size += bytes.count
            parts.append(try checkpoint(in: bytes, named: name))
        }
        guard parts.first?.first ?? 0 == 0 else {
            throw damaged("\(path) misses the first checkpoint.")
        }
        do {
            return try FitCheckpoint(joining: parts)
        } catch { throw damaged("\(path) misses a checkpoint: \(error)") }
    }

    private func checkpoint(in bytes: [UInt8], named name: String) throws -> FitCheckpoint {
        let digests = Self.mark.count..<Self.mark.count + 2 * FileDigest.byteCount
        guard bytes.count >= digests.upperBound, bytes.starts(with: Self.mark) else {
            throw damaged("\(file(name)) is no checkpoint of `manta train`.")
        }
        let middle = digests.lowerBound + FileDigest.byteCount
        let content = Array(bytes[digests.upperBound...])
        guard FileDigest(of: content).bytes == Array(bytes[middle..<digests.upperBound]) else {
            throw damaged("\(file(name)) is damaged: its SHA-256 is another.")
        }
        guard training.bytes == Array(bytes[digests.lowerBound..<middle]) else {
            throw CommandFailure(
                "\(path) holds checkpoints of another training: its data, the way they are "
                    + "divided, its learner or the release of manta differ. Repeat that command to "
                    + "finish it, remove the folder, or name another one with --checkpoint.",
                code: ExitStatus.conflict)
        }
        do {
            let checkpoint = try FitCheckpoint(decoding: content)
            guard name == Self.name(of: checkpoint) else {
                throw damaged("\(file(name)) begins with tree \(checkpoint.first).")
            }
            return checkpoint
        } catch let error as DamagedBytes { throw damaged("\(file(name)): \(error)") }
    }

    private func damaged(_ text: String) -> CommandFailure {
        CommandFailure(text + "\nRemove \(path) to begin anew.")
    }

    private static func isCheckpoint(_ name: String) -> Bool {
        name.hasPrefix(prefix) && name.hasSuffix(suffix)
    }

    // MARK: Writing

    /// Keeps a checkpoint beside those before it; on disk when this returns.
    func write(_ checkpoint: FitCheckpoint) throws {
        let content = checkpoint.encoded()
        let bytes = Self.mark + training.bytes + FileDigest(of: content).bytes + content
        let place = file(Self.name(of: checkpoint))
        let partial = file(".\(Self.name(of: checkpoint)).partial")
        try write(bytes, to: partial)
        guard rename(partial, place) == 0 else { throw failure("be moved to \(place)") }
        // The name, too, must outlive a loss of power.
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("be opened") }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("be synced") }
    }

    private func write(_ bytes: [UInt8], to file: String) throws {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("be written") }
        defer { close(descriptor) }
        do {
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
            try handle.write(contentsOf: bytes)
            try handle.synchronize()
        } catch {
            unlink(file)
            throw failure("be written")
        }
    }

    private func failure(_ what: String) -> CommandFailure {
        CommandFailure(
            "a checkpoint cannot \(what) in \(path): \(String(cString: strerror(errno))).")
    }

    private static func name(of checkpoint: FitCheckpoint) -> String {
        prefix + String(format: "%010d", checkpoint.first) + suffix
    }

    // MARK: The end

    /// Removes the checkpoints, and the folder if nothing else is in it.
    func remove() {
        for name in names() where Self.isCheckpoint(name) || name == Self.lockName {
            unlink(file(name))
        }
        rmdir(path)
    }

    private func names() -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    }

    private func file(_ name: String) -> String { "\(path)/\(name)" }
}
