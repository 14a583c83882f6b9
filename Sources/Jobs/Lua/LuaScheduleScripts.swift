/// Scripts of schedules. When one fires next is computed by `CronExpression`, not here.
enum LuaScheduleScripts {
    /// Adds a schedule or replaces the one of this name.
    ///
    /// - Arguments: name, schedule (JSON), its next fire.
    /// - Reply: 'ok', also for one that is there already, or 'full'.
    /// - Atomic because the number of schedules must hold while it is compared.
    static let put = #"""
        local name, schedule, nextFire = take(), take(), take()
        local known = call('HGET', K.schedules(), name)
        if known == schedule then return 'ok' end -- guard: same-schedule-keeps-its-time
        local isFull = not known and call('HLEN', K.schedules()) >= LIMITS.schedules
        if isFull then return 'full' end -- guard: schedules-are-bounded
        call('HSET', K.schedules(), name, schedule)
        call('ZADD', K.fires(), nextFire, name)
        return 'ok'
        """#

    /// Tells of all schedules. Reply: the time; then of each its name, JSON, next and last fire.
    static let read = #"""
        local reply = {now}
        for name, schedule in pairs(readHash(K.schedules())) do
          local nextFire = tonumber(call('ZSCORE', K.fires(), name) or 0)
          local last = tonumber(call('HGET', K.fired(), name) or 0)
          reply[#reply + 1] = {name, schedule, nextFire, last}
        end
        return reply
        """#

    /// Forgets a schedule. Arguments: name. Reply: 1 when there was one.
    static let delete = #"""
        local name = take()
        call('ZREM', K.fires(), name)
        call('HDEL', K.fired(), name)
        return call('HDEL', K.schedules(), name)
        """#

    /// Submits the job of a fire.
    ///
    /// - Arguments: name, schedule (JSON), the next fire as it was read, the fire, the next one
    ///   after it; the submission, as for `submit`.
    /// - Reply: 'gone' when somebody else fired or changed it; else as `submit`.
    /// - Atomic because two who find a schedule due must submit once, and because a fire that is
    ///   counted but not submitted would be lost.
    static let fire = #"""
        local name, schedule, expected = take(), take(), takeNumber()
        local fire, nextFire = take(), take()
        local known = call('HGET', K.schedules(), name)
        if known ~= schedule then return {'gone'} end -- guard: fire-needs-schedule
        local due = tonumber(call('ZSCORE', K.fires(), name) or 0)
        if due ~= expected then return {'gone'} end -- guard: fire-once
        local reply = submitJob()
        if reply[1] == 'full' then return reply end -- guard: full-store-fires-later
        call('ZADD', K.fires(), nextFire, name)
        call('HSET', K.fired(), name, fire)
        return reply
        """#
}
