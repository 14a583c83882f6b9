/// Scripts that change tasks.
enum LuaTaskScripts {
    /// Adds tasks that do not exist yet and tells of each.
    ///
    /// - Arguments: job id, driver id, token, worker; how many; of each task: id, name, shape,
    ///   priority, attemptsMax, retriesErrors, retriesCrashes, delay, deadlines, input.
    /// - Reply: 'ok' and the tasks; or 'leaseLost', 'jobOver', or 'full' and why.
    /// - Atomic because a driver that lost its lease must add nothing, and because a task that two
    ///   calls ask for must exist once.
    static let enqueue = #"""
        local job, driver, token, worker = take(), take(), takeNumber(), take()
        local refusal = driverRefusal(job, driver, token, worker)
        if refusal then return {refusal} end

        local standing = call('HMGET', K.job(job), 'total', 'life', 'pool')
        local life, pool = tonumber(standing[2] or 1), standing[3]
        -- In a later life, a task that did not succeed in an earlier one waits anew.
        local function stale(id)
          local t = life > 1 and load(id)
          return t and (t.life or 1) < life and t.state ~= 'succeeded' and t or nil
        end
        -- A task runs in its job's pool; the default one is not named.
        local function inPool(shape)
          if not pool then return shape end
          local hasCustom = string.match(shape, '^[^;]*;[^;]*;[^;]*;[^;]*;[^;]*;')
          return hasCustom and string.gsub(shape, '[^;]*$', pool, 1) or shape .. ';;' .. pool
        end

        local ids, fresh, past, shapes, freshCount = {}, {}, {}, {}, 0
        for i = 1, takeNumber() do
          local id = take()
          local t = {job = job, kind = 'task', name = take(), shape = inPool(take()),
            priority = takeNumber(), attemptsMax = takeNumber(), retriesErrors = take() == '1',
            retriesCrashes = take() == '1', delay = takeNumber(), created = now, attempt = 0,
            state = 'waiting', due = now, history = {}}
          local deadlines, input = take(), take()
          if deadlines ~= '' then t.deadlines = deadlines end
          if life > 1 then t.life = life end
          ids[i] = id
          local old = stale(id)
          if old then
            past[id] = old
            shapes[old.shape] = true
          elseif call('HEXISTS', K.tasks(job), id) == 0 and not fresh[id] then
            fresh[id] = {t, input}
            shapes[t.shape] = true
            freshCount = freshCount + 1
          end
        end
        local total = tonumber(standing[1] or 0) + freshCount
        local isTooMany = total > LIMITS.tasksPerJob
        if isTooMany then return {'full', 'tasksPerJob'} end -- guard: enqueue-bounded
        if shapesAreFull(shapes) then return {'full', 'shapes'} end -- guard: enqueue-shapes-bounded
        for _, id in ipairs(ids) do
          if fresh[id] then
            local t, input = fresh[id][1], fresh[id][2]
            fresh[id] = nil
            t.sequence = call('INCR', K.sequence())
            call('HSET', K.inputs(job), id, input)
            call('RPUSH', K.order(job), id)
            if t.deadlines then watch(id, t) end
            save(id, t)
            enqueue(id, t)
          end
        end
        for id, t in pairs(past) do revive(id, t, life) end
        if freshCount > 0 then call('HINCRBY', K.job(job), 'total', freshCount) end
        publish()
        local reply = {}
        for i, id in ipairs(ids) do reply[i] = describe(id, load(id)) end
        return {'ok', reply}
        """#

    /// Ends tasks that the driver no longer wants: waiting ones at once, running ones by heartbeat.
    ///
    /// - Arguments: job id, driver id, token, worker; who cancels; how many; their ids.
    /// - Reply: 'ok', 'leaseLost' or 'jobOver'.
    /// - Atomic because a task must not be granted between its cancel and its leaving the queue.
    static let cancel = #"""
        local job, driver, token, worker = take(), take(), takeNumber(), take()
        local refusal = driverRefusal(job, driver, token, worker)
        if refusal then return refusal end
        local by = take()
        for _ = 1, takeNumber() do
          local id = take()
          local t = load(id)
          if t and t.state == 'waiting' and not wish(t) then
            cancelWaiting(id, t, by)
          elseif t and t.state == 'running' then
            t.cancel = t.cancel or by
            save(id, t)
            raise('job ' .. job)
          end
        end
        publish()
        return 'ok'
        """#

    /// Ends one task because a person asks.
    ///
    /// - Arguments: task id (no driver's), who asks.
    /// - Reply: the task afterwards, or null.
    /// - Atomic because a task must not be granted between its cancel and its leaving the queue.
    static let cancelTask = #"""
        local id, by = take(), take()
        local t = load(id)
        if not t then return false end
        local isWanted = not wish(t)
        if t.state == 'waiting' and isWanted then
          cancelWaiting(id, t, by)
        elseif t.state == 'running' and isWanted then
          t.cancel = by
          save(id, t)
          raise('job ' .. t.job)
        end
        publish()
        return describe(id, t)
        """#

    /// Tells of tasks. Arguments: how many, their ids. Reply: each task, or null.
    static let read = #"""
        local reply = {}
        for i = 1, takeNumber() do
          local id = take()
          local t = load(id)
          reply[i] = t and describe(id, t) or false
        end
        return reply
        """#

    /// Ends attempts. Arguments: how many; of each: task, token, worker, outcome. Reply: one word
    /// each. Atomic because an ending moves the task, its job and the queues together.
    static let finish = #"""
        beat()
        local replies = takeEndings()
        publish()
        return replies
        """#

    /// Keeps a worker listed and its leases alive.
    ///
    /// - Arguments: worker id, its record (JSON), lifetime; how many leases; of each: task, token.
    /// - Reply: numbers (from 1) of the leases that are lost, of those to be cancelled, and of the
    ///   lost ones that a deadline ended.
    /// - Atomic because a lease that is extended must not be expired in the same instant.
    static let heartbeat = #"""
        local worker, record, lifetime = take(), take(), takeNumber()
        beat()
        call('HSET', K.workers(), worker, record)
        call('ZADD', K.heartbeats(), now, worker)
        for _, old in ipairs(upTo(K.heartbeats(), now - lifetime)) do
          call('ZREM', K.heartbeats(), old)
          call('HDEL', K.workers(), old)
        end
        passDeadlines()
        local lost, cancelled, past = {}, {}, {}
        local function extend(i, id, token)
          local t = load(id)
          local isHeld = t ~= nil
          isHeld = isHeld and t.token == token -- guard: heartbeat-needs-token
          isHeld = isHeld and t.worker == worker -- guard: heartbeat-needs-worker
          if not isHeld then
            lost[#lost + 1] = i
            if t and t.overdue == token then past[#past + 1] = i end
            return
          end
          call('ZADD', K.leases(), now + t.length, id)
          if wish(t) then cancelled[#cancelled + 1] = i end -- guard: heartbeat-tells-cancel
        end
        for i = 1, takeNumber() do extend(i, take(), takeNumber()) end
        expireOverdue() -- guard: heartbeat-sweeps
        publish()
        return {lost, cancelled, past}
        """#

    /// Workers heard of lately. Arguments: lifetime. Reply: their records.
    static let workers = #"""
        local ids = call('ZRANGEBYSCORE', K.heartbeats(), '(' .. digits(now - takeNumber()), '+inf')
        if #ids == 0 then return {} end
        return call('HMGET', K.workers(), unpack(ids))
        """#

    /// Takes a worker off the list. Arguments: its id.
    static let removeWorker = #"""
        local worker = take()
        call('HDEL', K.workers(), worker)
        call('ZREM', K.heartbeats(), worker)
        return 'ok'
        """#
}
