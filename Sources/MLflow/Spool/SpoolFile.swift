internal import Foundation

/// The file of one run's spool, open and locked by this process: entries are appended, folded into
/// `state`, and read again to be sent.
///
/// What was appended survives this process, however it ends. A power failure may take what was
/// written since the last `synchronize`.
final class SpoolFile {
    let folder: String
    private(set) var state = SpoolState()
    /// Bytes of the file.
    private(set) var size = 0
    /// What stood behind the last whole frame when it was opened, and was cut off.
    private(set) var damagedBytes = 0
    private var descriptor: Int32
    private let lock: Int32

    /// A file with more than this in frames that are not needed any more is rewritten.
    static let garbageMax = 4 << 20

    static func path(in folder: String) -> String { folder + "/records" }

    /// The folder of the files that wait.
    static func files(in folder: String) -> String { folder + "/files" }

    /// Makes the spool of a new run.
    ///
    /// - Parameter folder: made too; must not hold a spool.
    static func make(in folder: String) throws(MLflowError) -> SpoolFile {
        try LocalFiles.makeFolder(files(in: folder))
        guard let lock = takeLock(in: folder) else {
            throw LocalFiles.failure("lock the spool", folder, "another process holds it")
        }
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let descriptor = Foundation.open(path(in: folder), flags, 0o600)
        guard descriptor >= 0 else {
            let error = LocalFiles.failure("make the spool", folder)
            close(lock)
            throw error
        }
        let file = SpoolFile(folder: folder, descriptor: descriptor, lock: lock)
        try file.write(SpoolFrame.header)
        return file
    }

    /// Opens a run's spool that its process left; nil while a process holds it.
    ///
    /// A last frame that is not whole is cut off: its writer was killed before it could count on
    /// it.
    static func open(in folder: String) throws(MLflowError) -> SpoolFile? {
        guard let lock = takeLock(in: folder) else { return nil }
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW
        let descriptor = Foundation.open(path(in: folder), flags)
        guard descriptor >= 0 else {
            let error = LocalFiles.failure("open the spool", folder)
            close(lock)
            throw error
        }
        let file = SpoolFile(folder: folder, descriptor: descriptor, lock: lock)
        try file.readAll(cutsTail: true)
        return file
    }

    /// The run that a spool has begun, also while its process holds it; nil when it has no id yet.
    static func run(in folder: String) -> SpoolRun? {
        let descriptor = Foundation.open(
            path(in: folder), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        let file = SpoolFile(folder: folder, descriptor: descriptor, lock: -1)
        try? file.readAll(cutsTail: false)
        return file.state.run
    }

    private init(folder: String, descriptor: Int32, lock: Int32) {
        (self.folder, self.descriptor, self.lock) = (folder, descriptor, lock)
    }

    deinit {
        close(descriptor)
        close(lock)
    }

    private static func takeLock(in folder: String) -> Int32? {
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW
        let lock = Foundation.open(folder + "/lock", flags, 0o600)
        guard lock >= 0 else { return nil }
        if flock(lock, LOCK_EX | LOCK_NB) == 0 { return lock }
        close(lock)
        return nil
    }

    // MARK: Writing

    func append(_ entry: SpoolEntry) throws(MLflowError) {
        try append(entry, as: try SpoolFrame.encode(entry))
    }

    /// - Parameter frame: the encoded entry.
    func append(_ entry: SpoolEntry, as frame: [UInt8]) throws(MLflowError) {
        var next = state
        do throws(SpoolDisorder) {
            try next.apply(entry, at: size..<size + frame.count)
        } catch {
            throw LocalFiles.failure("write the spool", folder, "the entry cannot follow the last")
        }
        try write(frame)
        state = next
    }

    func failed(isAmbiguous: Bool, wasUncertain: Bool) {
        state.failed(isAmbiguous: isAmbiguous, wasUncertain: wasUncertain)
    }

    func sendApart(through number: Int) { state.sendApart(through: number) }

    /// Returns when the disk has it all, so that it survives the machine too.
    func synchronize() {
        // A disk that cannot is no worse than before.
        _ = fdatasync(descriptor)
    }

    private func write(_ bytes: [UInt8]) throws(MLflowError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress?.advanced(by: sent), bytes.count - sent,
                    off_t(size + sent))
            }
            if count < 0 && errno == EINTR { continue }
            // What was written of the frame is overwritten by the next one.
            guard count > 0 else { throw LocalFiles.failure("write the spool", folder) }
            sent += count
        }
        size += bytes.count
    }

    // MARK: Reading

    private func readAll(cutsTail: Bool) throws(MLflowError) {
        let end = Int(lseek(descriptor, 0, SEEK_END))
        let header = read(0..<SpoolFrame.header.count)
        guard header == SpoolFrame.header else {
            throw LocalFiles.failure(
                "open the spool", folder,
                header.prefix(7) == SpoolFrame.header.prefix(7)
                    ? "version \(header.last ?? 0) of its format is not known here"
                    : "it is no spool")
        }
        size = header.count
        while let (entry, place) = readFrame(at: size) {
            guard (try? state.apply(entry, at: place)) != nil else { break }
            size = place.upperBound
        }
        damagedBytes = max(0, end - size)
        if damagedBytes > 0, cutsTail { ftruncate(descriptor, off_t(size)) }
    }

    /// Nil where no whole frame stands.
    private func readFrame(at offset: Int) -> (entry: SpoolEntry, place: Range<Int>)? {
        let start = offset + SpoolFrame.prefixSize
        guard let frame = SpoolFrame.read(prefix: read(offset..<start)) else { return nil }
        let payload = read(start..<start + frame.size)
        guard payload.count == frame.size, SpoolFrame.checksum(of: payload) == frame.checksum,
            let entry = SpoolFrame.decode(payload)
        else { return nil }
        return (entry, offset..<start + frame.size)
    }

    /// As many of these bytes as there are.
    private func read(_ range: Range<Int>) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    descriptor, buffer.baseAddress?.advanced(by: filled), range.count - filled,
                    off_t(range.lowerBound + filled))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return Array(bytes[..<filled]) }
            filled += count
        }
        return bytes
    }

    /// A fact that waits, read again.
    func fact(_ waiting: SpoolState.Waiting) throws(MLflowError) -> SpoolFact {
        guard
            case .fact(waiting.number, _, let fact)? = readFrame(at: waiting.place.lowerBound)?
                .entry
        else {
            throw LocalFiles.failure("read the spool", folder, "record \(waiting.number) changed")
        }
        return fact
    }

    // MARK: Rewriting

    /// Whether so much of the file is no longer needed that it is worth rewriting.
    var hasGarbage: Bool { size - state.waitingBytes > SpoolFile.garbageMax }

    /// Writes the file anew, without what is done.
    ///
    /// - Parameter thins: also drops metric values (`SpoolThinning`), but none of a call that was
    ///   tried already.
    func rewrite(thins: Bool = false) throws(MLflowError) {
        var kept: [(fact: SpoolState.Waiting, entry: SpoolEntry)] = []
        var thinning = SpoolThinning(of: thins ? metricCount : 0)
        for fact in state.waiting.reversed() {
            let whole = try self.fact(fact)
            guard thins, fact.number > state.attempt?.through ?? 0, case .batch(let batch) = whole
            else {
                kept.append((fact, .fact(number: fact.number, time: fact.time, whole)))
                continue
            }
            let thinned = thinning.thin(batch)
            if thinned.isEmpty { continue }
            kept.append((fact, .fact(number: fact.number, time: fact.time, .batch(thinned))))
        }
        try replace(with: kept.reversed(), droppedCount: thinning.droppedCount)
    }

    private var metricCount: Int {
        state.waiting.reduce(0) { sum, fact in
            guard case .batch(let metrics, _, _) = fact.shape else { return sum }
            return sum + metrics
        }
    }

    /// In one step: a process killed meanwhile leaves the old file.
    private func replace(
        with kept: [(fact: SpoolState.Waiting, entry: SpoolEntry)], droppedCount: Int
    ) throws(MLflowError) {
        let path = SpoolFile.path(in: folder)
        let draft = path + ".new"
        unlink(draft)
        let flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let new = Foundation.open(draft, flags, 0o600)
        guard new >= 0 else { throw LocalFiles.failure("rewrite the spool", folder) }
        let old = (descriptor: descriptor, size: size, state: state)
        (descriptor, size) = (new, 0)
        do throws(MLflowError) {
            try writeAnew(kept, droppedCount: droppedCount)
            synchronize()
            guard rename(draft, path) == 0 else {
                throw LocalFiles.failure("rewrite the spool", folder)
            }
        } catch {
            (descriptor, size, state) = old
            close(new)
            unlink(draft)
            throw error
        }
        close(old.descriptor)
    }

    private func writeAnew(
        _ kept: [(fact: SpoolState.Waiting, entry: SpoolEntry)], droppedCount: Int
    ) throws(MLflowError) {
        try write(SpoolFrame.header)
        var summary = state.summary
        summary.droppedCount += droppedCount
        // The facts that follow count up to where the file stood.
        summary.nextNumber = kept.first?.fact.number ?? summary.nextNumber
        summary.isEnded = summary.isEnded && !kept.contains { $0.fact.shape == .end }
        var next = SpoolState()
        try put(.summary(summary), into: &next)
        for (_, entry) in kept { try put(entry, into: &next) }
        if let attempt = state.attempt {
            try put(.sending(through: attempt.through), into: &next)
        }
        next.goOn(from: state)
        state = next
    }

    private func put(
        _ entry: SpoolEntry, into next: inout SpoolState
    ) throws(MLflowError) {
        let frame = try SpoolFrame.encode(entry)
        do throws(SpoolDisorder) {
            try next.apply(entry, at: size..<size + frame.count)
        } catch {
            throw LocalFiles.failure("rewrite the spool", folder, "its entries are out of order")
        }
        try write(frame)
    }
}
