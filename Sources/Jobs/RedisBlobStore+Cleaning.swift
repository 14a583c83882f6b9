import Redis

/// Removing large blobs from the origin that nobody needs any more.
///
/// Needed is what was stored, found or read within `StoreLimits.retention`, and what a kept job
/// names: its script, its working directory, inputs and results of its tasks. Only blobs that this
/// cluster stored or used are looked at; two clusters in one folder would still remove what only
/// the other needs.
extension RedisBlobStore {
    /// After so long a removal counts as given up. Longer than `OriginBucket` may take to remove.
    static let removalInMilliseconds = 120_000
    /// From its begin on, a removal that was not carried out by then is left to a later round.
    static let removalMax = Duration.seconds(20)
    /// Blobs looked at in one round are at most as many sweeps.
    static let sweepsMax = 1_000

    package func clean() async throws -> Int {
        guard let origin else { return 0 }
        var removed = 0
        var named: Set<String>?
        for _ in 0..<RedisBlobStore.sweepsMax {
            let digests = try await texts(scripts.unusedInOrigin, RedisCommand())
            if digests.isEmpty { break }
            let kept: Set<String>
            if let named { kept = named } else { kept = try await namedDigests() }
            named = kept
            var moved = 0
            for digest in digests where BlobFiles.isDigest(digest) {
                if kept.contains(digest) {
                    // At the end of the line again: looked at after another retention.
                    _ = try await run(scripts.useOrigin, RedisCommand(digest))
                    moved += 1
                } else if try await remove(digest, from: origin) {
                    removed += 1
                    moved += 1
                }
            }
            // What others remove at this moment stays in the list; it is theirs.
            if moved == 0 { break }
        }
        return removed
    }

    /// Says that a large blob is used from now on.
    ///
    /// - Throws: `.unavailable` while it is being removed; afterwards it can be stored again.
    func markUse(_ digest: String) async throws(BlobStoreError) {
        guard try await run(scripts.useOrigin, RedisCommand(digest)).string == "ok" else {
            throw .unavailable("the blob \(digest) is being removed")
        }
    }

    /// As `markUse`, for one who has the bytes already, whatever becomes of the blob.
    func markRead(_ digest: String) async {
        _ = try? await run(scripts.useOrigin, RedisCommand(digest))
    }

    private func remove(
        _ digest: String, from origin: any BlobOrigin
    ) async throws(BlobStoreError) -> Bool {
        let begin = ContinuousClock.now
        var arguments = RedisCommand(digest)
        arguments.append(RedisBlobStore.removalInMilliseconds)
        guard try await run(scripts.beginRemoval, arguments).string == "ok",
            ContinuousClock.now - begin < RedisBlobStore.removalMax
        else { return false }
        try await origin.forget(digest)
        _ = try await run(scripts.endRemoval, RedisCommand(digest))
        return true
    }

    /// What kept jobs name. A job that is submitted meanwhile names blobs that were just used.
    private func namedDigests() async throws -> Set<String> {
        var named: Set<String> = []
        let jobs = try await texts(RedisCommand("ZRANGE", keys.name(.jobs), "0", "-1"))
        for job in jobs {
            let fields =
                try await send(
                    RedisCommand("HMGET", keys.name(.job, job), "spec", "result")
                ).array ?? []
            if let bytes = fields.first?.bytes {
                let spec = try StoreCoding.decode(NewJob.self, from: bytes)
                if let folder = spec.workingDirectory { named.insert(folder) }
                if case .script(_, let digest, _) = spec.entrypoint { named.insert(digest) }
            }
            if let bytes = fields.last?.bytes, !bytes.isEmpty,
                case .blob(let digest, _) = try RedisTaskCoding.payload(bytes)
            {
                named.insert(digest)
            }
            for kind in ["inputs", "results"] { try await add(kind, of: job, to: &named) }
        }
        return named
    }

    private func add(
        _ kind: String, of job: String, to named: inout Set<String>
    ) async throws(BlobStoreError) {
        var cursor = "0"
        repeat {
            let page = try await texts(scripts.namedBlobs, RedisCommand(job, kind, cursor))
            guard let next = page.first else { throw .unavailable("no cursor came back") }
            named.formUnion(page.dropFirst())
            cursor = next
        } while cursor != "0"
    }

    private func texts(
        _ function: RedisFunction, _ arguments: RedisCommand
    ) async throws(BlobStoreError) -> [String] {
        (try await run(function, arguments).array ?? []).compactMap(\.string)
    }

    private func texts(_ command: RedisCommand) async throws(BlobStoreError) -> [String] {
        (try await send(command).array ?? []).compactMap(\.string)
    }

    private func send(_ command: RedisCommand) async throws(BlobStoreError) -> RESPValue {
        do throws(RedisError) {
            return try await client.send(command)
        } catch {
            throw .unavailable("\(error)")
        }
    }
}
