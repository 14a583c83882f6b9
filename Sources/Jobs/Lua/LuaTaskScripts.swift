/// Scripts that change tasks.
enum LuaTaskScripts {
    /// Adds tasks that do not exist yet and tells of each.
    ///
    /// - Arguments: job id, driver id, token, worker; how many runs of tasks of one shape and
    ///   priority; of each run: 'p' or 'd', shape, priority, how many, of each: id, what is sent
    ///   of it (`LuaTaskForms`).
    /// - Reply: 'ok' and the tasks, or the time when all are new and wait as they were sent;
    ///   or 'leaseLost', 'jobOver', or 'full' and why.
    /// - Atomic because a driver that lost its lease must add nothing, and because a task that two
    ///   calls ask for must exist once.
    static let enqueue = #"""
        local job, driver, token, worker = take(), take(), takeNumber(), take()
        local refusal = driverRefusal(job, driver, token, worker)
        if refusal then return {refusal} end

        local standing = call('HMGET', K.job(job), 'total', 'life', 'pool')
        local life, pool = tonumber(standing[2] or 1), standing[3]
        -- A task runs in its job's pool; the default one is not named.
        local function inPool(shape)
          if not pool then return shape end
          local hasCustom = match(shape, '^[^;]*;[^;]*;[^;]*;[^;]*;[^;]*;')
          return hasCustom and string.gsub(shape, '[^;]*$', pool, 1) or shape .. ';;' .. pool
        end

        local ids, texts, runOf = {}, {}, {}
        for _ = 1, takeNumber() do
          local run = {flag = take(), shape = inPool(take()), priority = take()}
          run.base = (1000 - tonumber(run.priority)) * PRIORITY_SPAN
          run.before, run.behind = specFrame(run.flag, run.priority, run.shape)
          for _ = 1, takeNumber() do
            local i = #ids + 1
            ids[i], texts[i], runOf[i] = take(), take(), run
          end
        end
        local known = call('HMGET', K.tasks(job), unpack(ids))
        local old = {}
        for i, id in ipairs(ids) do
          if known[i] then old[#old + 1] = id end
        end
        loadAll(job, old)
        local isFresh, isPast, shapes, freshCount = {}, {}, {}, 0
        for i, id in ipairs(ids) do
          local t = known[i] and load(id)
          if not t and not isFresh[id] then
            isFresh[id] = true
            shapes[runOf[i].shape] = true
            freshCount = freshCount + 1
          elseif t and (t.life or 1) < life and t.state ~= 'succeeded' then
            -- In a later life, a task that did not succeed in an earlier one waits anew.
            isPast[id] = true
            shapes[t.shape] = true
          end
        end
        local total = tonumber(standing[1] or 0) + freshCount
        local isTooMany = total > LIMITS.tasksPerJob
        if isTooMany then return {'full', 'tasksPerJob'} end -- guard: enqueue-bounded
        if shapesAreFull(shapes) then return {'full', 'shapes'} end -- guard: enqueue-shapes-bounded
        local sequence = 0
        if freshCount > 0 then
          sequence = call('INCRBY', K.sequence(), freshCount) - freshCount
          count(job, 'total', freshCount)
          raise('work')
        end

        -- Tasks that are new and plain are told of in one word: the caller knows the rest.
        local isAdded, plainCount = {}, 0
        local function addFresh(id, run, sent)
          isAdded[id] = true
          sequence = sequence + 1
          local spec = run.before .. digits(sequence) .. run.behind .. sent
          add(id, job, spec)
          if run.flag == 'p' and life == 1 then
            plainCount = plainCount + 1
            run.queue = run.queue or wordsFor('ZADD', K.waiting(job, run.shape))
            run.queue[#run.queue + 1] = digits(run.base + sequence)
            run.queue[#run.queue + 1] = id
            queueChanged(job, run.shape)
            return
          end
          local t = readSpec(id, job, spec)
          t.state, t.attempt, t.due = 'waiting', 0, now
          if life > 1 then t.life = life end
          watch(id, t)
          save(id, t)
          enqueue(id, t)
        end
        for i, id in ipairs(ids) do
          if isFresh[id] and not isAdded[id] then addFresh(id, runOf[i], texts[i]) end
        end
        for id in pairs(isPast) do revive(id, load(id), life) end
        publish()
        if plainCount == #ids and not pool then return {'ok', now} end
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

    /// Tells of tasks in the order of their ends, those of a past life included.
    ///
    /// - Arguments: job id; the position to begin at, or -1 for nothing but where they end now;
    ///   how many.
    /// - Reply: the position after the last; the tasks, of one that succeeded only its id and its
    ///   result, as behind 's' in what is kept of its life.
    static let ended = #"""
        local job, from, limit = take(), takeNumber(), takeNumber()
        local length = call('LLEN', K.ends(job))
        if from < 0 then return {length, {}} end
        if from > length then from = 0 end -- guard: shortened-ends-are-read-anew
        local ids = call('LRANGE', K.ends(job), from, from + limit - 1)
        if #ids == 0 then return {from, {}} end
        readLives(job, ids)
        local reply, rest = {}, {}
        for i, id in ipairs(ids) do
          local life = lives[id]
          reply[i] = {id, life}
          local isPlain = life and byte(life) == 115 -- 's'
          if not isPlain then rest[#rest + 1] = i end
        end
        for _, i in ipairs(rest) do
          local t = load(ids[i])
          if not t then
            reply[i] = {}
          elseif t.state == 'succeeded' then
            reply[i] = {ids[i], 's|0|0|' .. t.result}
          else
            reply[i] = describe(ids[i], t)
          end
        end
        return {from + #ids, reply}
        """#

    /// Ends attempts. Arguments and reply: `takeEndings`. Atomic because an ending moves the task,
    /// its job and the queues together.
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
