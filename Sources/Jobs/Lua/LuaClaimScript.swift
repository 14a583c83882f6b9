/// The function that moves the cluster: ends attempts, expires overdue leases, grants tasks.
enum LuaClaimScript {
    /// The store's pulse: when nobody called for longer than a heartbeat, Redis was away (or its
    /// clock jumped), and workers get one lease's time to say that they live before leases are
    /// expired.
    static let pulse = #"""
        local grace
        onBegin(function() grace = 0 end)
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

    /// What a claim can come to, and how it takes from it.
    static let queues = #"""
        -- The worker's id, lease length and what is left of it; how many tasks it takes at most;
        -- how many may come ahead, by shape and job; the last token.
        local claimer, claimLength, offer, grantsMax, ahead, lastToken, heads, fitting
        -- When plain grants' leases end; what stands behind the token in their lives.
        local claimExpiry, claimTail
        onBegin(function()
          ahead, heads, fitting, lastToken = {}, {}, {}, nil
        end)

        local function takeOffer()
          claimer = take()
          offer = {cpus = takeNumber(), memory = takeNumber(), gpus = takeNumber(),
            driverSlots = takeNumber(), labels = {}, custom = {}, pools = {}}
          for label in string.gmatch(take(), '[^,]+') do offer.labels[label] = true end
          for name, amount in string.gmatch(take(), '([^,*]+)%*(-?%d+)') do
            offer.custom[name] = tonumber(amount)
          end
          for pool in string.gmatch(take(), '[^,]+') do offer.pools[pool] = true end
          grantsMax, claimLength = takeNumber(), takeNumber()
          claimExpiry = digits(now + claimLength)
          claimTail = '|' .. digits(claimLength) .. '|' .. claimer
        end

        local function takeAhead()
          for _ = 1, takeNumber() do
            local job, shape = take(), take()
            ahead[shape] = ahead[shape] or {}
            ahead[shape][job] = takeNumber()
          end
        end

        -- The clock was set back: what lies further ahead than can be was written before that.
        local function pullBack(key, furthest)
          local bound = '(' .. digits(now + furthest)
          local late = call('ZRANGEBYSCORE', key, bound, '+inf', 'LIMIT', 0, LIMITS.sweep)
          for _, id in ipairs(late) do call('ZADD', key, now + furthest, id) end
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
        local function readHeads()
          for _, shape in ipairs(call('SMEMBERS', K.shapes())) do
            local known = {}
            local function add(member, score)
              local job = string.sub(member, 18)
              known[job] = true
              heads[#heads + 1] = {shape = shape, member = member, score = tonumber(score),
                job = job, next = 1, taken = 0, ids = {}}
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

        -- The ids at the front of a head's queue and what is kept of them, many at a time. Their
        -- scores are of use only where another head may come first.
        local function fill(head)
          local key, last = K.waiting(head.job, head.shape), head.taken + room(head) - 1
          local ids, scores = {}, {}
          if #heads == 1 then
            ids = call('ZRANGE', key, head.taken, last)
          else
            local flat = call('ZRANGE', key, head.taken, last, 'WITHSCORES')
            for i = 1, #flat, 2 do
              ids[#ids + 1] = flat[i]
              scores[#ids] = tonumber(flat[i + 1])
            end
          end
          head.ids, head.scores, head.next = ids, scores, 1
          if #ids == 0 then return end
          head.specs = call('HMGET', K.tasks(head.job), unpack(ids))
          head.kept = call('HMGET', K.lives(head.job), unpack(ids))
        end
        local function front(head)
          if head.next > #head.ids then fill(head) end
          return head.ids[head.next]
        end

        -- What a plain task at the front, at its first attempt, is; nil for any other.
        local function plainFront(head)
          local i = head.next
          local spec = head.specs[i]
          local isPlain = spec and not head.kept[i] and seen[head.ids[i]] == nil
          return isPlain and byte(spec) == 112 and spec or nil -- 'p'
        end
        local function loadFront(head)
          local i = head.next
          local id = head.ids[i]
          if seen[id] == nil then see(id, head.job, head.specs[i], head.kept[i]) end
          return seen[id] or nil
        end

        -- Moves a head on to the next task of its queue.
        local function advance(head)
          head.next = head.next + 1
          head.taken = head.taken + 1
          if not front(head) then
            head.isEmpty = true
          elseif #heads > 1 then
            local share, rank = head.score % RUNNING_SPAN, nil
            rank, head.member = placeInReady(head.job, head.scores[head.next])
            head.score = rank + share
          end
        end
        local function countShare(job)
          if #heads == 1 then return end
          for _, head in ipairs(heads) do
            if head.job == job and head.score % RUNNING_SPAN < RUNNING_SPAN - 1 then
              head.score = head.score + 1
            end
          end
        end

        -- Whether a worker may have the head's task ahead of the slot that it will run in: it runs
        -- short ones of this job and shape already, and this one is none that needs care.
        local function mayGoAhead(head)
          if aheadLeft(head) <= 0 or not front(head) then return false end
          if plainFront(head) then return true end
          local t = loadFront(head)
          return t and t.kind == 'task' and t.attempt == 0 and not t.deadlines
        end

        local function isFitting(shape)
          if fitting[shape] == nil then fitting[shape] = fits(shape, offer) end
          return fitting[shape]
        end

        local function bestHead()
          local best, isAhead = nil, false
          for _, head in ipairs(heads) do
            if not head.isEmpty and isBefore(head, best) then
              local hasRoom = isFitting(head.shape)
              if hasRoom or mayGoAhead(head) then best, isAhead = head, not hasRoom end
            end
          end
          return best, isAhead
        end
        """#

    /// What a grant changes.
    static let grants = #"""
        local function newToken()
          lastToken = lastToken and lastToken + 1 or nextToken()
          return lastToken
        end

        -- The words that plain grants of a head add to.
        local function plainGrants(head)
          return {lives = wordsFor('HSET', K.lives(head.job)),
            queue = wordsFor('ZREM', K.waiting(head.job, head.shape)),
            leases = wordsFor('ZADD', K.leases())}
        end

        -- The same as `grant`, of a task of which nothing need be read; counting is left to
        -- `countPlainGrants`. Answers what the worker is told.
        local function grantPlain(words, id, spec)
          local token = digits(newToken())
          local last = #words.lives
          words.lives[last + 1] = id
          words.lives[last + 2] = 'r|1|' .. token .. claimTail
          words.queue[#words.queue + 1] = id
          last = #words.leases
          words.leases[last + 1] = claimExpiry
          words.leases[last + 2] = id
          return {id, spec, token}
        end

        local function countPlainGrants(head, count)
          if count == 0 then return end
          queueChanged(head.job, head.shape)
          countRunning(head.job, count)
        end

        local function grant(id, t)
          t.attempt = t.attempt + 1
          t.state = 'running'
          t.token = newToken()
          t.worker = claimer
          t.length = claimLength
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
            'phaseWorker', claimer)
          if isCommand then call('HSETNX', K.job(t.job), 'started', now) end
          raise('job ' .. t.job)
        end

        local function takeFromOffer(shape)
          local need = parseShape(shape)
          offer.cpus = offer.cpus - need.cpus
          offer.memory = offer.memory - need.memory
          offer.gpus = offer.gpus - need.gpus
          for name, amount in pairs(need.custom) do
            offer.custom[name] = offer.custom[name] - amount
          end
          fitting = {}
        end

        local granted, early
        onBegin(function() granted, early = {}, {} end)
        local function tellOf(told, isAhead)
          granted[#granted + 1] = told
          if isAhead then early[#early + 1] = #granted end
        end

        -- Grants the plain tasks at the front of the only head, as many as may come.
        local function grantRun(head)
          if head.isEmpty or not front(head) then return end
          local words, count = plainGrants(head), 0
          while #granted < grantsMax and front(head) do
            local spec = plainFront(head)
            local hasRoom = isFitting(head.shape)
            if not spec or not (hasRoom or aheadLeft(head) > 0) then break end
            tellOf(grantPlain(words, head.ids[head.next], spec), not hasRoom)
            count = count + 1
            if hasRoom then
              takeFromOffer(head.shape)
            else
              ahead[head.shape][head.job] = ahead[head.shape][head.job] - 1
            end
            head.next = head.next + 1
            head.taken = head.taken + 1
          end
          countPlainGrants(head, count)
        end

        -- Grants the front of a head.
        local function grantFront(head, isAhead)
          local id = front(head)
          if not id then
            head.isEmpty = true
            return
          end
          local spec = plainFront(head)
          if spec then
            tellOf(grantPlain(plainGrants(head), id, spec), isAhead)
            countPlainGrants(head, 1)
          else
            local t = loadFront(head)
            grant(id, t)
            tellOf(describe(id, t, now + t.length), isAhead)
          end
          if isAhead then
            ahead[head.shape][head.job] = ahead[head.shape][head.job] - 1
          else
            takeFromOffer(head.shape)
          end
          countShare(head.job)
          advance(head)
        end
        """#

    /// - Arguments: worker, free milliCPUs, memory, gpus, driver slots, labels, custom resources
    ///   (name*amount) and pools, each joined by commas, grantsMax, lease length; endings as in
    ///   `finish`; of how many jobs and shapes tasks may come ahead, of each: job, shape, how many.
    /// - Reply: as `finish`; the granted tasks, of a plain one only id, spec and token; the specs
    ///   of their jobs (id, JSON, …); milliseconds until the next delayed task, or null; which
    ///   grants are ahead, from 1; when the leases of plain ones end.
    /// - Atomic because a task must leave the queue, get its token and count against its job in one
    ///   step, and because what a worker offers must hold over all its grants.
    static let claim = #"""
        takeOffer()
        beat()
        local endings = takeEndings()
        pullBack(K.leases(), LIMITS.lease) -- guard: lease-from-the-future-ends
        pullBack(K.delayed(), LIMITS.delay) -- guard: delay-from-the-future-ends
        expireOverdue()
        passDeadlines()
        admitDelayed()
        flush()
        takeAhead()

        if grantsMax > 0 then readHeads() end
        if #heads == 1 then grantRun(heads[1]) end
        while #granted < grantsMax do
          local head, isAhead = bestHead()
          if not head then break end
          grantFront(head, isAhead)
        end
        if lastToken then call('SET', K.token(), digits(lastToken)) end
        local jobs, isKnown = {}, {}
        for _, head in ipairs(heads) do
          if head.taken > 0 and not isKnown[head.job] then
            isKnown[head.job] = true
            jobs[#jobs + 1] = head.job
            jobs[#jobs + 1] = call('HGET', K.job(head.job), 'spec')
          end
        end

        local nextDue = call('ZRANGE', K.delayed(), 0, 0, 'WITHSCORES')[2]
        publish()
        return {endings, granted, jobs, nextDue and math.max(0, nextDue - now) or false, early,
          now + claimLength}
        """#
}
