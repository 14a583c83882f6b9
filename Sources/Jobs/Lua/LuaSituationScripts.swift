/// Scripts that only read, for people: what holds a job up, and what the cluster does.
///
/// What they look through is bounded (`JobSituation`), so that a look costs Redis little.
enum LuaSituationScripts {
    /// Everything that decides what a job waits for.
    ///
    /// - Arguments: job, its driver, a worker's lifetime; how many shapes and tasks to tell of, how
    ///   many delayed tasks and heads of queues to look through.
    /// - Reply: null for an unknown job, else the time; the job's fields; its driver or null; how
    ///   many of its tasks run; the fields of each job it waits for; each waiting shape's count and
    ///   first task; delayed tasks; dead tasks; how many are dead; how many jobs stand before it;
    ///   the workers' records.
    /// - Atomic because its parts are compared with one another.
    static let situation = #"""
        local job, driver, lifetime = take(), take(), takeNumber()
        local shapesMax, tasksMax = takeNumber(), takeNumber()
        local delayedMax, headsMax = takeNumber(), takeNumber()
        local fields = call('HGETALL', K.job(job))
        if #fields == 0 then return false end

        local function tell(ids)
          local list = {}
          loadAll(job, ids)
          for _, id in ipairs(ids) do
            local t = load(id)
            if t then list[#list + 1] = describe(id, t) end
          end
          return list
        end

        local before = {}
        for id in string.gmatch(call('HGET', K.job(job), 'waitsFor') or '', '[^,]+') do
          local other = call('HGETALL', K.job(id))
          if #other > 0 then before[#before + 1] = other end
        end

        -- The job's queues, and the head of them that is granted first.
        local queues, mine = {}, nil
        for shape, member in pairs(readHash(K.queues(job))) do
          local count = call('ZCARD', K.waiting(job, shape))
          queues[#queues + 1] = {shape = shape, count = count}
          local score = tonumber(call('ZSCORE', K.ready(shape), member) or 0)
          local isFirst = not mine or score < mine.score
            or (score == mine.score and member < mine.member)
          if isFirst then mine = {score = score, member = member} end
        end
        table.sort(queues, function(a, b)
          if a.count ~= b.count then return a.count > b.count end
          return a.shape < b.shape
        end)
        local waiting = {}
        for i = 1, math.min(#queues, shapesMax) do
          local queue = queues[i]
          local first = tell(call('ZRANGE', K.waiting(job, queue.shape), 0, 0))[1]
          if first then waiting[#waiting + 1] = {queue.count, first} end
        end

        local function countAhead()
          if not mine then return 0 end
          local pool = call('HGET', K.job(job), 'pool') or 'default'
          local ahead, isSeen, looked = 0, {[job] = true}, 0
          for _, shape in ipairs(call('SMEMBERS', K.shapes())) do
            local isOurs = looked < headsMax and parseShape(shape).pool == pool
            local heads = isOurs and call('ZRANGEBYSCORE', K.ready(shape), '-inf',
              digits(mine.score), 'WITHSCORES', 'LIMIT', 0, headsMax - looked) or {}
            looked = looked + #heads / 2
            for i = 1, #heads, 2 do
              local other = string.sub(heads[i], 18)
              local isBefore = tonumber(heads[i + 1]) < mine.score or heads[i] < mine.member
              if isBefore and not isSeen[other] then
                isSeen[other] = true
                ahead = ahead + 1
              end
            end
          end
          return ahead
        end

        local delayed = {}
        for _, id in ipairs(call('ZRANGE', K.delayed(), 0, delayedMax - 1)) do
          if #delayed < tasksMax and jobOf(id) == job then delayed[#delayed + 1] = id end
        end

        local ids = call('ZRANGEBYSCORE', K.heartbeats(), '(' .. digits(now - lifetime), '+inf')
        local workers = #ids > 0 and call('HMGET', K.workers(), unpack(ids)) or {}
        return {now, fields, tell({driver})[1] or false, runningCount(job), before, waiting,
          tell(delayed), tell(call('ZRANGE', K.dead(job), 0, tasksMax - 1)),
          call('ZCARD', K.dead(job)), countAhead(), workers}
        """#

    /// What runs and waits in the whole cluster.
    ///
    /// - Arguments: how many heads of queues to look at.
    /// - Reply: how many jobs are pending, run, are being stopped, are over; leases; delayed tasks;
    ///   schedules; of each pool its name, waiting drivers and waiting tasks.
    static let load = #"""
        local left = takeNumber()
        local pending, running, stopping = 0, 0, 0
        for _, job in ipairs(call('SMEMBERS', K.active())) do
          local known = call('HMGET', K.job(job), 'state', 'phase')
          if known[1] == 'stopping' then
            stopping = stopping + 1
          elseif known[2] == 'running' then
            running = running + 1
          else
            pending = pending + 1
          end
        end

        local pools, names = {}, {}
        local function count(shape)
          local need = parseShape(shape)
          local pool = pools[need.pool]
          if not pool then
            pool = {driver = 0, task = 0}
            pools[need.pool] = pool
            names[#names + 1] = need.pool
          end
          for _, member in ipairs(call('ZRANGE', K.ready(shape), 0, left - 1)) do
            left = left - 1
            local size = call('ZCARD', K.waiting(string.sub(member, 18), shape))
            pool[need.kind] = pool[need.kind] + size
          end
        end
        for _, shape in ipairs(call('SMEMBERS', K.shapes())) do
          if left > 0 then count(shape) end
        end
        local list = {}
        for i, name in ipairs(names) do list[i] = {name, pools[name].driver, pools[name].task} end
        return {pending, running, stopping, call('ZCARD', K.ended()), call('ZCARD', K.leases()),
          call('ZCARD', K.delayed()), call('HLEN', K.schedules()), list}
        """#
}
