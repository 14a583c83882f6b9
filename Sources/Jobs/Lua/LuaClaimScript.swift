/// The script that moves the cluster: ends attempts, expires overdue leases, grants tasks.
enum LuaClaimScript {
    /// The store's pulse: when nobody called for longer than a heartbeat, Redis was away (or its
    /// clock jumped), and workers get one lease's time to say that they live before leases are
    /// expired.
    static let pulse = #"""
        local grace = 0
        local function beat()
          local known = call('HMGET', K.pulse(), 'at', 'grace')
          grace = tonumber(known[2] or 0)
          if known[1] and now - tonumber(known[1]) > LIMITS.pulseGap then
            grace = now + LIMITS.grace
            call('HSET', K.pulse(), 'grace', grace)
          end
          call('HSET', K.pulse(), 'at', now)
        end
        """#

    /// - Arguments: worker, free milliCPUs, memory, gpus, driver slots, labels, custom resources
    ///   (name*amount) and pools, each joined by commas, grantsMax, lease length; endings as in
    ///   `finish`; of how many jobs and shapes tasks may come ahead, of each: job, shape, how many.
    /// - Reply: a word per ending; the granted tasks; the specs of their jobs (id, JSON, …);
    ///   milliseconds until the next delayed task, or null; which grants are ahead, from 1.
    /// - Atomic because a task must leave the queue, get its token and count against its job in one
    ///   step, and because what a worker offers must hold over all its grants.
    static let claim = #"""
        local worker = take()
        local offer = {cpus = takeNumber(), memory = takeNumber(), gpus = takeNumber(),
          driverSlots = takeNumber(), labels = {}, custom = {}, pools = {}}
        for label in string.gmatch(take(), '[^,]+') do offer.labels[label] = true end
        for name, amount in string.gmatch(take(), '([^,*]+)%*(-?%d+)') do
          offer.custom[name] = tonumber(amount)
        end
        for pool in string.gmatch(take(), '[^,]+') do offer.pools[pool] = true end
        local grantsMax, length = takeNumber(), takeNumber()
        beat()

        -- The clock was set back: what lies further ahead than can be was written before that.
        local function pullBack(key, furthest)
          local bound = '(' .. digits(now + furthest)
          local ahead = call('ZRANGEBYSCORE', key, bound, '+inf', 'LIMIT', 0, LIMITS.sweep)
          for _, id in ipairs(ahead) do call('ZADD', key, now + furthest, id) end
        end

        local function admitDelayed()
          for _, id in ipairs(upTo(K.delayed(), now)) do
            call('ZREM', K.delayed(), id)
            local t = load(id)
            if t and wish(t) then t = nil end -- guard: delayed-task-of-ended-job-stays-out
            if t then enqueue(id, t) end
          end
        end

        local function isBefore(a, b)
          if not b then return true end
          if a.score ~= b.score then return a.score < b.score end
          return a.member < b.member
        end

        -- The heads of the queues that this claim can come to: a grant makes one head of a shape
        -- worse at most, so among as many as are granted is always the best. Of a shape that does
        -- not fit only the jobs are of use whose tasks may come ahead, wherever they stand.
        local heads, ahead = {}, {}
        local function readHeads()
          for _, shape in ipairs(call('SMEMBERS', K.shapes())) do
            local known = {}
            local function add(member, score)
              local job = string.sub(member, 18)
              known[job] = true
              heads[#heads + 1] = {shape = shape, member = member, score = tonumber(score),
                job = job, next = 1, ids = {}}
            end
            if fits(shape, offer) then
              local flat = call('ZRANGE', K.ready(shape), 0, grantsMax - 1, 'WITHSCORES')
              for i = 1, #flat, 2 do add(flat[i], flat[i + 1]) end
            end
            for job in pairs(ahead[shape] or {}) do
              local member = not known[job] and call('HGET', K.queues(job), shape)
              if member then add(member, call('ZSCORE', K.ready(shape), member)) end
            end
          end
        end

        local function aheadLeft(head)
          return ahead[head.shape] and ahead[head.shape][head.job] or 0
        end

        -- How many of a head's tasks may come, as far as CPUs tell, and the one behind them.
        local function room(head)
          local need = parseShape(head.shape)
          local byCPUs = need.cpus > 0 and math.floor(offer.cpus / need.cpus) or grantsMax
          return math.min(grantsMax, byCPUs + aheadLeft(head)) + 1
        end

        -- The ids at the front of a head's queue and their inputs, read many at a time.
        local function fill(head)
          local key = K.waiting(head.job, head.shape)
          local from = head.taken or 0
          local flat = call('ZRANGE', key, from, from + room(head) - 1, 'WITHSCORES')
          head.ids, head.scores, head.next = {}, {}, 1
          for i = 1, #flat, 2 do
            head.ids[#head.ids + 1] = flat[i]
            head.scores[#head.ids] = tonumber(flat[i + 1])
          end
          if #head.ids == 0 then return end
          loadAll(head.job, head.ids)
          head.inputs = call('HMGET', K.inputs(head.job), unpack(head.ids))
        end
        local function front(head)
          if head.next > #head.ids then fill(head) end
          return head.ids[head.next]
        end

        -- Moves a head on to the next task of its queue.
        local function advance(head)
          head.next = head.next + 1
          head.taken = (head.taken or 0) + 1
          if not front(head) then
            head.isEmpty = true
            return
          end
          local share, rank = head.score % RUNNING_SPAN, nil
          rank, head.member = placeInReady(head.job, head.scores[head.next])
          head.score = rank + share
        end
        local function countShare(job)
          for _, head in ipairs(heads) do
            if head.job == job and head.score % RUNNING_SPAN < RUNNING_SPAN - 1 then
              head.score = head.score + 1
            end
          end
        end

        -- Whether a worker may have the head's task ahead of the slot that it will run in: it runs
        -- short ones of this job and shape already, and this one is none that needs care.
        local function mayGoAhead(head)
          if aheadLeft(head) <= 0 then return false end
          local id = front(head)
          local t = id and load(id)
          return t and t.kind == 'task' and t.attempt == 0 and not t.deadlines
        end

        local function bestHead()
          local best, isAhead, known = nil, false, {}
          for _, head in ipairs(heads) do
            if not head.isEmpty and isBefore(head, best) then
              if known[head.shape] == nil then known[head.shape] = fits(head.shape, offer) end
              if known[head.shape] or mayGoAhead(head) then
                best, isAhead = head, not known[head.shape]
              end
            end
          end
          return best, isAhead
        end

        local lastToken = nil
        local function grant(id, t)
          t.attempt = t.attempt + 1
          t.state = 'running'
          lastToken = lastToken and lastToken + 1 or nextToken()
          t.token = lastToken
          t.worker = worker
          t.length = length
          if t.deadlines then
            watch(id, t)
            local beats = limitsOf(t).heartbeat
            if beats > 0 then t.length = math.min(beats, LIMITS.lease) end
          end
          gather('ZREM', K.waiting(t.job, t.shape), id)
          queueChanged(t.job, t.shape)
          gather('ZADD', K.leases(), now + t.length, id)
          save(id, t)
          countRunning(t.job, 1)
          if t.kind ~= 'driver' then return end
          offer.driverSlots = offer.driverSlots - 1
          call('HINCRBY', K.job(t.job), 'driverAttempts', 1)
          local isCommand = call('HGET', K.job(t.job), 'entrypoint') == 'command'
          call('HSET', K.job(t.job), 'phase', isCommand and 'running' or 'compiling',
            'phaseWorker', worker)
          if isCommand then call('HSETNX', K.job(t.job), 'started', now) end
          raise('job ' .. t.job)
        end

        local endings = takeEndings()
        pullBack(K.leases(), LIMITS.lease) -- guard: lease-from-the-future-ends
        pullBack(K.delayed(), LIMITS.delay) -- guard: delay-from-the-future-ends
        expireOverdue()
        passDeadlines()
        admitDelayed()
        flush()
        for _ = 1, takeNumber() do
          local job, shape = take(), take()
          ahead[shape] = ahead[shape] or {}
          ahead[shape][job] = takeNumber()
        end

        local granted, early, jobs, isKnown = {}, {}, {}, {}
        if grantsMax > 0 then readHeads() end
        local function grantFront(head, isAhead)
          local job, id = head.job, front(head)
          if not id then
            head.isEmpty = true
            return
          end
          local t, input = load(id), head.inputs[head.next]
          grant(id, t)
          if isAhead then
            early[#early + 1] = #granted + 1
            ahead[head.shape][job] = ahead[head.shape][job] - 1
          else
            local need = parseShape(head.shape)
            offer.cpus = offer.cpus - need.cpus
            offer.memory = offer.memory - need.memory
            offer.gpus = offer.gpus - need.gpus
            for name, amount in pairs(need.custom) do
              offer.custom[name] = offer.custom[name] - amount
            end
          end
          countShare(job)
          advance(head)
          granted[#granted + 1] = describe(id, t, {input = input, expiry = now + t.length})
          if not isKnown[job] then
            isKnown[job] = true
            jobs[#jobs + 1] = job
            jobs[#jobs + 1] = call('HGET', K.job(job), 'spec')
          end
        end
        while #granted < grantsMax do
          local head, isAhead = bestHead()
          if not head then break end
          grantFront(head, isAhead)
        end
        if lastToken then call('SET', K.token(), digits(lastToken)) end

        local nextDue = call('ZRANGE', K.delayed(), 0, 0, 'WITHSCORES')[2]
        publish()
        return {endings, granted, jobs, nextDue and math.max(0, nextDue - now) or false, early}
        """#
}
