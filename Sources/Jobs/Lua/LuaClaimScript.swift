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
    ///   `finish`; how many preferred jobs, their ids.
    /// - Reply: a word per ending; the granted tasks; the specs of their jobs (id, JSON, …);
    ///   milliseconds until the next delayed task, or null.
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

        -- The best head of all queues whose shape fits.
        local shapes = false
        local function bestOfAll()
          shapes = shapes or call('SMEMBERS', K.shapes())
          local best = nil
          for _, shape in ipairs(shapes) do
            if fits(shape, offer) then
              local head = call('ZRANGE', K.ready(shape), 0, 0, 'WITHSCORES')
              local candidate = {shape = shape, member = head[1], score = tonumber(head[2] or 0)}
              if head[1] and isBefore(candidate, best) then best = candidate end
            end
          end
          return best
        end

        local function bestOf(jobs)
          local best = nil
          for _, job in ipairs(jobs) do
            for shape, member in pairs(readHash(K.queues(job))) do
              if fits(shape, offer) then
                local candidate = {shape = shape, member = member,
                  score = tonumber(call('ZSCORE', K.ready(shape), member))}
                if isBefore(candidate, best) then best = candidate end
              end
            end
          end
          return best
        end

        local function grant(id, t)
          t.attempt = t.attempt + 1
          t.state = 'running'
          t.token = nextToken()
          t.worker = worker
          t.length = length
          if t.deadlines then
            watch(id, t)
            local beats = limitsOf(t).heartbeat
            if beats > 0 then t.length = math.min(beats, LIMITS.lease) end
          end
          call('ZREM', K.waiting(t.job, t.shape), id)
          call('ZADD', K.leases(), now + t.length, id)
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
        local preferred = {}
        for i = 1, takeNumber() do preferred[i] = take() end

        local granted, jobs, isKnown = {}, {}, {}
        while #granted < grantsMax do
          local best
          if #preferred > 0 then best = bestOf(preferred) else best = bestOfAll() end
          if not best then break end
          local job = string.sub(best.member, 18)
          local id = call('ZRANGE', K.waiting(job, best.shape), 0, 0)[1]
          local t = load(id)
          grant(id, t)
          local need = parseShape(best.shape)
          offer.cpus = offer.cpus - need.cpus
          offer.memory = offer.memory - need.memory
          offer.gpus = offer.gpus - need.gpus
          for name, amount in pairs(need.custom) do
            offer.custom[name] = offer.custom[name] - amount
          end
          granted[#granted + 1] = describe(id, t)
          if not isKnown[job] then
            isKnown[job] = true
            jobs[#jobs + 1] = job
            jobs[#jobs + 1] = call('HGET', K.job(job), 'spec')
          end
        end

        local nextDue = call('ZRANGE', K.delayed(), 0, 0, 'WITHSCORES')[2]
        publish()
        return {endings, granted, jobs, nextDue and math.max(0, nextDue - now) or false}
        """#
}
