import Redis

/// Builds and logs.
extension RedisJobStore {
    /// A page of a log holds at most this many lines, so that a reply stays within its bound.
    private static let logPageMax = 256

    package func beginBuild(_ key: String, by worker: WorkerID) async throws -> BuildRecord {
        var arguments = RedisCommand(key, worker.rawValue)
        arguments.append(limits.buildLeaseInMilliseconds)
        let reply = try await run(scripts.beginBuild, arguments).array ?? []
        switch reply.first?.string {
        case "granted":
            guard reply.count == 3, let token = reply[1].integer, let expiry = reply[2].integer
            else { break }
            return .granted(token: token, expiry: expiry)
        case "building":
            guard let other = reply.last?.string else { break }
            return .building(by: WorkerID(rawValue: other))
        case "ended":
            guard let bytes = reply.last?.bytes else { break }
            return .ended(try StoreCoding.decode(BuildOutcome.self, from: bytes))
        default: break
        }
        throw JobStoreError.corrupt("the build \(key)")
    }

    package func endBuild(_ key: String, token: Int64, outcome: BuildOutcome) async throws {
        var arguments = RedisCommand(key)
        arguments.append(token)
        arguments.append(outcome == .abandoned ? [] : try StoreCoding.encode(outcome.bounded))
        let reply = try await run(scripts.endBuild, arguments)
        guard reply.string == "ok" else {
            throw JobStoreError.leaseLost(TaskID(rawValue: "build/\(key)"))
        }
    }

    package func forgetBuild(_ key: String) async throws {
        _ = try await run(scripts.forgetBuild, RedisCommand(key))
    }

    // MARK: Logs

    package func appendLogs(_ lines: [LogLine], to job: JobID) async throws {
        for batch in lines.batches(of: RedisJobStore.logPageMax) {
            var arguments = RedisCommand(job.rawValue)
            arguments.append(batch.count)
            for line in batch.map(\.bounded) {
                arguments.append(line.sizeInBytes)
                arguments.append(line.stream.rawValue)
                arguments.append(line.prefix)
                arguments.append(line.text)
                arguments.append(line.endsWithLineFeed ? 1 : 0)
                arguments.append(line.time)
            }
            // Not repeated by us: a line that was kept although its reply was lost would come
            // twice.
            _ = try await run(scripts.appendLogs, arguments, isRepeatable: false)
        }
    }

    package func logs(
        of job: JobID, after cursor: LogCursor?, limit: Int
    ) async throws -> LogPage {
        var page = LogPage(lines: [], next: cursor, droppedCount: 0)
        // No reply outgrows the client's bound, and yet the caller gets what it asks for.
        while page.lines.count < limit {
            let seen = page.next?.lineNumber ?? 0
            let count = min(limit - page.lines.count, RedisJobStore.logPageMax)
            let reply = try await send(
                RedisCommand(
                    "XRANGE", keys.name(.log, job.rawValue), "\(seen + 1)-0", "+", "COUNT",
                    String(count)))
            let entries = reply.array ?? []
            guard let first = entries.first, let last = entries.last else { break }
            // Lines that went between two replies are counted with those before the page.
            let droppedCount = try RedisLogCoding.number(first) - seen - 1
            page = LogPage(
                lines: page.lines + (try entries.map { entry in try RedisLogCoding.line(entry) }),
                next: LogCursor(lineNumber: try RedisLogCoding.number(last)),
                droppedCount: page.droppedCount + droppedCount)
            if entries.count < count { break }
        }
        return page
    }
}

/// Log lines as entries of a stream; the entry `n-0` is line n.
enum RedisLogCoding {
    static func number(_ entry: RESPValue) throws(JobStoreError) -> Int {
        guard let id = entry.array?.first?.string, let number = Int(id.prefix { $0 != "-" })
        else { throw .corrupt("a log line's number") }
        return number
    }

    static func line(_ entry: RESPValue) throws(JobStoreError) -> LogLine {
        guard let fields = entry.array?.last?.array, fields.count == 12,
            let stream = fields[3].string.flatMap(LogLine.Stream.init),
            let prefix = fields[5].string, let text = fields[7].string,
            let endsWithLineFeed = fields[9].integer, let time = fields[11].integer
        else { throw .corrupt("a log line") }
        return LogLine(
            stream: stream, prefix: prefix, text: text, endsWithLineFeed: endsWithLineFeed == 1,
            time: time)
    }
}
