package import Redis

/// All scripts of the Redis stores, put together from the Lua texts in `Lua/`.
package struct RedisScripts: Sendable {
    let submit: RedisScript
    let putSchedule: RedisScript
    let readSchedules: RedisScript
    let deleteSchedule: RedisScript
    let fire: RedisScript
    let stop: RedisScript
    let delete: RedisScript
    let retry: RedisScript
    let report: RedisScript
    let enqueue: RedisScript
    let cancel: RedisScript
    let cancelTask: RedisScript
    let read: RedisScript
    let claim: RedisScript
    let finish: RedisScript
    let ended: RedisScript
    let heartbeat: RedisScript
    let workers: RedisScript
    let situation: RedisScript
    let load: RedisScript
    let removeWorker: RedisScript
    let beginBuild: RedisScript
    let endBuild: RedisScript
    let forgetBuild: RedisScript
    let appendLogs: RedisScript
    let putBlob: RedisScript
    let containsBlob: RedisScript
    let getBlob: RedisScript
    let useOrigin: RedisScript
    let unusedInOrigin: RedisScript
    let beginRemoval: RedisScript
    let endRemoval: RedisScript
    let namedBlobs: RedisScript

    /// - Parameters:
    ///   - clock: Lua that sets `micros` and `now`; tests pass a clock that they can move.
    ///   - hasFlags: whether the server knows script flags (Redis 7). What ends work and frees
    ///     memory then also runs when Redis's memory is used up.
    ///   - mutation: the name of a guard line to leave out; only tests pass one.
    package init(
        limits: StoreLimits = StoreLimits(), timing: StoreTiming = StoreTiming(),
        clock: String? = nil, hasFlags: Bool = false, without mutation: String? = nil
    ) {
        let base = [
            RedisKeys.lua, RedisScripts.table(limits, timing), clock ?? LuaBase.serverClock,
            LuaBase.text, LuaGathering.text, LuaBase.publishing,
        ]
        let tasks = [
            LuaQueues.text, LuaDeadlines.watch, LuaLives.text, LuaNewLives.text, LuaReplies.text,
            LuaClaimScript.pulse,
        ]
        let sweeping = tasks + [LuaDeadlines.sweep]
        let ending = hasFlags ? ["#!lua flags=allow-oom"] : []
        func script(
            _ name: String, _ body: String, _ library: [String] = [], _ header: [String] = []
        ) -> RedisScript {
            let text = (header + base + library + [body]).joined(separator: "\n")
            return RedisScript(name: name, text: RedisScripts.removing(mutation, from: text))
        }
        let submitting = tasks + [LuaJobScripts.submitting]
        submit = script("submit", LuaJobScripts.submit, submitting)
        putSchedule = script("putSchedule", LuaScheduleScripts.put)
        readSchedules = script("readSchedules", LuaScheduleScripts.read, [], ending)
        deleteSchedule = script("deleteSchedule", LuaScheduleScripts.delete, [], ending)
        fire = script("fire", LuaScheduleScripts.fire, submitting)
        stop = script("stop", LuaJobScripts.stop, tasks, ending)
        delete = script("delete", LuaJobScripts.delete, tasks, ending)
        retry = script("retry", LuaNewLives.retry, tasks)
        report = script("report", LuaJobScripts.report, tasks, ending)
        enqueue = script("enqueue", LuaTaskScripts.enqueue, tasks)
        cancel = script("cancel", LuaTaskScripts.cancel, tasks, ending)
        cancelTask = script("cancelTask", LuaTaskScripts.cancelTask, tasks, ending)
        read = script("read", LuaTaskScripts.read, tasks, ending)
        claim = script("claim", LuaClaimScript.claim, sweeping, ending)
        finish = script("finish", LuaTaskScripts.finish, tasks, ending)
        ended = script("ended", LuaTaskScripts.ended, tasks, ending)
        heartbeat = script("heartbeat", LuaTaskScripts.heartbeat, sweeping, ending)
        workers = script("workers", LuaTaskScripts.workers, [], ending)
        situation = script("situation", LuaSituationScripts.situation, tasks, ending)
        load = script("load", LuaSituationScripts.load, tasks, ending)
        removeWorker = script("removeWorker", LuaTaskScripts.removeWorker, [], ending)
        beginBuild = script("beginBuild", LuaRecordScripts.beginBuild)
        endBuild = script("endBuild", LuaRecordScripts.endBuild, [], ending)
        forgetBuild = script("forgetBuild", LuaRecordScripts.forgetBuild, [], ending)
        appendLogs = script("appendLogs", LuaRecordScripts.appendLogs, tasks)
        putBlob = script("putBlob", LuaBlobScripts.put)
        containsBlob = script("containsBlob", LuaBlobScripts.contains, [], ending)
        getBlob = script("getBlob", LuaBlobScripts.get, [], ending)
        useOrigin = script("useOrigin", LuaOriginScripts.use, [], ending)
        unusedInOrigin = script("unusedInOrigin", LuaOriginScripts.unused, [], ending)
        beginRemoval = script("beginRemoval", LuaOriginScripts.beginRemoval, [], ending)
        endRemoval = script("endRemoval", LuaOriginScripts.endRemoval, [], ending)
        namedBlobs = script("namedBlobs", LuaOriginScripts.named, [], ending)
    }

    /// The texts that hold guard lines, for the test that removes them.
    package var all: [RedisScript] {
        [
            submit, stop, delete, retry, report, enqueue, cancel, cancelTask, read, claim, finish,
            ended, heartbeat, situation, load,
            workers, removeWorker, beginBuild, endBuild, forgetBuild, appendLogs, putBlob,
            containsBlob, getBlob, putSchedule, readSchedules, deleteSchedule, fire,
            containsBlob, getBlob, useOrigin, unusedInOrigin, beginRemoval, endRemoval, namedBlobs,
        ]
    }

    /// The names of all guard lines, sorted.
    package var guards: [String] {
        let names = all.flatMap { script in
            script.text.split(separator: "\n").compactMap { RedisScripts.guardName(of: $0) }
        }
        return Set(names).sorted()
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
