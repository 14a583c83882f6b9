/// Scripts of builds and logs.
enum LuaRecordScripts {
    /// Asks for the right to compile, or for what became of it.
    ///
    /// - Arguments: key, worker, lease length.
    /// - Reply: 'granted', token, expiry; or 'building', worker; or 'ended', outcome (JSON).
    /// - Atomic because two workers that find the build free must not both get it.
    static let beginBuild = #"""
        local key, worker, length = take(), take(), takeNumber()
        local kept = readHash(K.build(key))
        if kept.outcome then
          call('PEXPIRE', K.build(key), LIMITS.retention)
          return {'ended', kept.outcome}
        end
        local left = tonumber(kept.expiry or 0) - now
        local isHeld = left > 0 and left <= length
        local isOthers = isHeld and kept.worker ~= worker
        if isOthers then return {'building', kept.worker} end -- guard: build-single-flight
        local token = kept.token
        if not isHeld then token = digits(nextToken()) end -- guard: build-takeover-new-token
        call('HSET', K.build(key), 'worker', worker, 'token', token, 'expiry', now + length)
        call('PEXPIRE', K.build(key), LIMITS.retention)
        return {'granted', tonumber(token), now + length}
        """#

    /// Ends a build.
    ///
    /// - Arguments: key, token, outcome (JSON), or '' when it was abandoned.
    /// - Reply: 'ok' or 'leaseLost'.
    /// - Atomic because a builder that was replaced must not overwrite the next one's outcome.
    static let endBuild = #"""
        local key, token, outcome = take(), take(), take()
        local kept = readHash(K.build(key))
        if kept.token ~= token then return 'leaseLost' end -- guard: build-end-needs-token
        if kept.outcome then return 'ok' end -- guard: build-ends-once
        if outcome == '' then
          call('HSET', K.build(key), 'expiry', 0)
        else
          call('HSET', K.build(key), 'outcome', outcome)
        end
        call('PEXPIRE', K.build(key), LIMITS.retention)
        raise('builds')
        publish()
        return 'ok'
        """#

    /// Forgets how a build ended, so that the next one who asks compiles. Arguments: key.
    static let forgetBuild = #"""
        local key = take()
        local isEnded = call('HEXISTS', K.build(key), 'outcome') == 1
        if isEnded then call('DEL', K.build(key)) end
        return 'ok'
        """#

    /// Appends lines to a job's log and drops the oldest ones that are too many.
    ///
    /// - Arguments: job; how many; of each: size, stream, prefix, text, ends with line feed, time.
    /// - Reply: 'ok'.
    /// - Atomic because lines are numbered without gaps: a reader computes from the numbers how
    ///   many were dropped.
    static let appendLogs = #"""
        local job = take()
        if call('EXISTS', K.job(job)) == 0 then return 'ok' end -- guard: log-needs-job
        local count = takeNumber()
        local known = call('HMGET', K.logState(job), 'last', 'bytes')
        local last, bytes = tonumber(known[1] or 0), tonumber(known[2] or 0)
        for _ = 1, count do
          last = last + 1
          local size = takeNumber()
          bytes = bytes + size
          call('XADD', K.log(job), digits(last) .. '-0', 'n', size, 's', take(), 'p', take(),
            't', take(), 'l', take(), 'm', take())
        end
        while bytes > LIMITS.logBytes or call('XLEN', K.log(job)) > LIMITS.logLines do
          local excess = call('XLEN', K.log(job)) - LIMITS.logLines
          local dropped = nil
          for _, entry in ipairs(call('XRANGE', K.log(job), '-', '+', 'COUNT', 64)) do
            if bytes <= LIMITS.logBytes and excess <= 0 then break end
            bytes = bytes - tonumber(entry[2][2])
            excess = excess - 1
            dropped = tonumber(string.match(entry[1], '^%d+'))
          end
          if not dropped then break end
          call('XTRIM', K.log(job), 'MINID', digits(dropped + 1) .. '-0')
        end
        call('HSET', K.logState(job), 'last', last, 'bytes', bytes)
        if isOver(job) then expireWithJob(job) end -- guard: late-logs-expire
        raise('logs ' .. job)
        publish()
        return 'ok'
        """#
}
