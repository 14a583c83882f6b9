package import Redis

/// All functions of the Redis stores: one library, put together from the Lua texts in `Lua/`.
///
/// The library's name holds its digest, so that two versions of this program, or two with other
/// limits, each find their own.
package struct RedisScripts: Sendable {
    let submit: RedisFunction
    let putSchedule: RedisFunction
    let readSchedules: RedisFunction
    let deleteSchedule: RedisFunction
    let fire: RedisFunction
    let stop: RedisFunction
    let delete: RedisFunction
    let retry: RedisFunction
    let report: RedisFunction
    let enqueue: RedisFunction
    let cancel: RedisFunction
    let cancelTask: RedisFunction
    let read: RedisFunction
    let claim: RedisFunction
    let finish: RedisFunction
    let ended: RedisFunction
    let heartbeat: RedisFunction
    let workers: RedisFunction
    let situation: RedisFunction
    let load: RedisFunction
    let removeWorker: RedisFunction
    let beginBuild: RedisFunction
    let endBuild: RedisFunction
    let forgetBuild: RedisFunction
    let appendLogs: RedisFunction
    let putBlob: RedisFunction
    let containsBlob: RedisFunction
    let getBlob: RedisFunction
    let useOrigin: RedisFunction
    let unusedInOrigin: RedisFunction
    let beginRemoval: RedisFunction
    let endRemoval: RedisFunction
    let namedBlobs: RedisFunction
    /// The library, for the test that removes its guard lines.
    package let library: RedisLibrary

    /// - Parameters:
    ///   - clock: Lua that sets `micros` and `now`; tests pass a clock that they can move.
    ///   - mutation: the name of a guard line to leave out; only tests pass one.
    package init(
        limits: StoreLimits = StoreLimits(), timing: StoreTiming = StoreTiming(),
        clock: String = LuaBase.serverClock, without mutation: String? = nil
    ) {
        let pieces = [
            RedisKeys.lua, RedisScripts.table(limits, timing), LuaBase.text(clock: clock),
            LuaGathering.text, LuaBase.publishing, LuaQueues.text, LuaTaskForms.text,
            LuaDeadlines.watch, LuaLives.text, LuaNewLives.text, LuaReplies.text, LuaEndings.text,
            LuaClaimScript.pulse, LuaDeadlines.sweep, LuaClaimScript.queues,
            LuaClaimScript.grants, LuaJobScripts.submitting,
        ]
        let body = (pieces + RedisScripts.bodies.map(\.registration)).joined(separator: "\n")
        let text = RedisScripts.removing(mutation, from: body)
        let digest = BlobFiles.digest(of: Array(text.utf8)).prefix(16)
        let name = "manta_\(digest)"
        let library = RedisLibrary(
            name: name, text: "#!lua name=\(name)\nlocal NAME = '\(name)_'\n\(text)")
        self.library = library
        func function(_ name: String) -> RedisFunction { RedisFunction(name, in: library) }
        submit = function("submit")
        putSchedule = function("putSchedule")
        readSchedules = function("readSchedules")
        deleteSchedule = function("deleteSchedule")
        fire = function("fire")
        stop = function("stop")
        delete = function("delete")
        retry = function("retry")
        report = function("report")
        enqueue = function("enqueue")
        cancel = function("cancel")
        cancelTask = function("cancelTask")
        read = function("read")
        claim = function("claim")
        finish = function("finish")
        ended = function("ended")
        heartbeat = function("heartbeat")
        workers = function("workers")
        situation = function("situation")
        load = function("load")
        removeWorker = function("removeWorker")
        beginBuild = function("beginBuild")
        endBuild = function("endBuild")
        forgetBuild = function("forgetBuild")
        appendLogs = function("appendLogs")
        putBlob = function("putBlob")
        containsBlob = function("containsBlob")
        getBlob = function("getBlob")
        useOrigin = function("useOrigin")
        unusedInOrigin = function("unusedInOrigin")
        beginRemoval = function("beginRemoval")
        endRemoval = function("endRemoval")
        namedBlobs = function("namedBlobs")
    }

    /// One function: its name, its Lua, and when the server must not refuse it.
    private struct Body {
        let name: String
        let text: String
        /// `allow-oom` for what ends work or frees memory: it also runs when Redis's memory is used
        /// up. `no-writes` for what only reads: it also runs when Redis cannot write its file.
        var flag: String?

        init(_ name: String, _ text: String, _ flag: String? = nil) {
            (self.name, self.text, self.flag) = (name, text, flag)
        }

        var registration: String {
            """
            redis.register_function{function_name = NAME .. '\(name)',
            flags = {\(flag.map { "'\($0)'" } ?? "")}, callback = function(keys, arguments)
            begin(keys, arguments)
            \(text)
            end}
            """
        }
    }

    private static let bodies: [Body] = {
        let (ending, reading) = ("allow-oom", "no-writes")
        return [
            Body("submit", LuaJobScripts.submit),
            Body("stop", LuaJobScripts.stop, ending),
            Body("delete", LuaJobScripts.delete, ending),
            Body("retry", LuaNewLives.retry),
            Body("report", LuaJobScripts.report, ending),
            Body("enqueue", LuaTaskScripts.enqueue),
            Body("cancel", LuaTaskScripts.cancel, ending),
            Body("cancelTask", LuaTaskScripts.cancelTask, ending),
            Body("read", LuaTaskScripts.read, reading),
            Body("claim", LuaClaimScript.claim, ending),
            Body("finish", LuaTaskScripts.finish, ending),
            Body("ended", LuaTaskScripts.ended, reading),
            Body("heartbeat", LuaTaskScripts.heartbeat, ending),
            Body("workers", LuaTaskScripts.workers, reading),
            Body("removeWorker", LuaTaskScripts.removeWorker, ending),
            Body("situation", LuaSituationScripts.situation, reading),
            Body("load", LuaSituationScripts.load, reading),
            Body("beginBuild", LuaRecordScripts.beginBuild),
            Body("endBuild", LuaRecordScripts.endBuild, ending),
            Body("forgetBuild", LuaRecordScripts.forgetBuild, ending),
            Body("appendLogs", LuaRecordScripts.appendLogs),
            Body("putSchedule", LuaScheduleScripts.put),
            Body("readSchedules", LuaScheduleScripts.read, reading),
            Body("deleteSchedule", LuaScheduleScripts.delete, ending),
            Body("fire", LuaScheduleScripts.fire),
            Body("putBlob", LuaBlobScripts.put),
            Body("containsBlob", LuaBlobScripts.contains, ending),
            Body("getBlob", LuaBlobScripts.get, ending),
            Body("useOrigin", LuaOriginScripts.use, ending),
            Body("unusedInOrigin", LuaOriginScripts.unused, reading),
            Body("beginRemoval", LuaOriginScripts.beginRemoval, ending),
            Body("endRemoval", LuaOriginScripts.endRemoval, ending),
            Body("namedBlobs", LuaOriginScripts.named, reading),
        ]
    }()

    /// The names of all guard lines, sorted.
    package var guards: [String] {
        Set(library.text.split(separator: "\n").compactMap { RedisScripts.guardName(of: $0) })
            .sorted()
    }

    private static func removing(_ guardName: String?, from text: String) -> String {
        guard let guardName else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { self.guardName(of: $0) != guardName }
            .joined(separator: "\n")
    }

    private static func guardName(of line: Substring) -> String? {
        let marker = "-- guard: "
        guard let range = line.firstRange(of: marker) else { return nil }
        return String(line[range.upperBound...])
    }

    /// The bounds as a Lua table, so that scripts and the in-memory store cannot differ in them.
    private static func table(_ limits: StoreLimits, _ timing: StoreTiming) -> String {
        let numbers: [(String, Int64)] = [
            ("activeJobs", Int64(limits.activeJobsMax)),
            ("endedJobs", Int64(limits.endedJobsMax)),
            ("tasksPerJob", Int64(limits.tasksPerJobMax)),
            ("shapes", Int64(limits.shapesMax)),
            ("chain", Int64(limits.chainMax)),
            ("schedules", Int64(limits.schedulesMax)),
            ("logLines", Int64(limits.logLinesMax)),
            ("logBytes", Int64(limits.logMaxInBytes)),
            ("retention", limits.retentionInMilliseconds),
            ("sweep", Int64(limits.sweepMax)),
            ("history", Int64(TaskRecord.historyMax)),
            ("lease", ClaimRequest.leaseMaxInMilliseconds),
            ("delay", RetryPolicy.delayMaxInMilliseconds),
            ("pulseGap", timing.pulseGapInMilliseconds),
            ("grace", timing.graceInMilliseconds),
        ]
        let fields = numbers.map { "\($0) = \($1)" } + ["endOfJob = '\(JobRecord.endOfJob)'"]
        return "local LIMITS = {\(fields.joined(separator: ", "))}"
    }
}

/// How the Redis store tells an outage from a worker that stopped answering.
package struct StoreTiming: Sendable, Hashable {
    /// When nobody called for longer than this, the store itself was away. Workers call at least
    /// every 2 s (their heartbeat), so 3 s of silence are not one worker's.
    package var pulseGapInMilliseconds: Int64 = 3_000
    /// How long leases are then left alone, so that workers can reconnect and say that they live.
    package var graceInMilliseconds: Int64 = 5_000

    package init() {}
}
