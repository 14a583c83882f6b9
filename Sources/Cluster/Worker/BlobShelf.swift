import Foundation
import Jobs
import Synchronization

/// What a worker's cache has on disk and who needs it: decides which file may go.
///
/// A file that a running attempt was told of is held and stays, however old it is: the attempt may
/// have mapped it, and then its removal would free nothing. Looking and removing exclude each
/// other, so that no path is given out whose file is gone a moment later.
final class BlobShelf: Sendable {
    private struct State {
        /// Attempts that hold a digest.
        var holds: [String: Int] = [:]
        /// Large blobs by their last use, for `lastUsed`.
        var large: [String: UInt64] = [:]
        var useCount: UInt64 = 0

        mutating func nextUse() -> UInt64 {
            useCount += 1
            return useCount
        }

        mutating func noteUse(of digest: String) {
            if large[digest] != nil { large[digest] = nextUse() }
        }
    }

    let directory: String
    private let state = Mutex(State())

    init(directory: String) throws {
        self.directory = directory
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        for name in try FileManager.default.contentsOfDirectory(atPath: directory)
        where name.isDigest { noteArrival(of: name) }
    }

    func path(of digest: String) -> String { "\(directory)/\(digest)" }

    /// Marks a blob as used now; false when it is not here.
    func use(_ digest: String) -> Bool {
        state.withLock { state in
            // For `remove`: what is used stays.
            guard utimes(path(of: digest), nil) == 0 else { return false }
            state.noteUse(of: digest)
            return true
        }
    }

    /// Says that a blob's file is in its place.
    func noteArrival(of digest: String) {
        guard let status = FileStatus(path(of: digest)),
            status.sizeInBytes > StoreConfiguration.smallBlobMax
        else { return }
        state.withLock { $0.large[digest] = $0.nextUse() }
    }

    /// Digests of blobs too large for Redis that are here, the last used first.
    func lastUsed(_ countMax: Int) -> [String] {
        let large = state.withLock { $0.large }
        return large.sorted { $0.value > $1.value }.prefix(countMax).map(\.key)
    }

    /// Removes a file unless an attempt holds it or it was used after `cutoff` (seconds since
    /// 1970); answers whether it is gone.
    func remove(_ name: String, unusedSince cutoff: Int) -> Bool {
        state.withLock { state in
            guard state.holds[name] == nil, let status = FileStatus(path(of: name)),
                status.modifiedAt <= cutoff, unlink(path(of: name)) == 0
            else { return false }
            state.large[name] = nil
            return true
        }
    }

    /// Digests that attempts hold now.
    var held: Set<String> { state.withLock { Set($0.holds.keys) } }

    fileprivate func hold(_ digest: String) {
        state.withLock { $0.holds[digest, default: 0] += 1 }
    }

    fileprivate func release(_ digests: Set<String>) {
        state.withLock { state in
            for digest in digests {
                let left = state.holds[digest, default: 1] - 1
                state.holds[digest] = left > 0 ? left : nil
            }
        }
    }
}

/// Keeps blobs in a cache as long as it exists: one for each process that is told of them.
final class BlobHold: Sendable {
    private let shelf: BlobShelf
    private let digests = Mutex<Set<String>>([])

    init(_ shelf: BlobShelf) { self.shelf = shelf }

    /// Before the process is told, and before it is known whether the blob is there.
    func add(_ digest: String) {
        guard digests.withLock({ $0.insert(digest).inserted }) else { return }
        shelf.hold(digest)
    }

    deinit { shelf.release(digests.withLock { $0 }) }
}
