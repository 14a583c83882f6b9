/// Scripts that change jobs as a whole.
enum LuaJobScripts {
    /// Adds a job and its driver task, or answers the job that has this id.
    ///
    /// - Arguments: job id, spec (JSON), 'script' or 'command', driver id, shape, priority,
    ///   attemptsMax, delay, deadlines; the pool unless it is the default one; how many jobs
    ///   it comes after, their ids.
    /// - Reply: 'known' or 'added' and the job's fields; 'unknown' and the jobs that are not there;
    ///   or 'full' and why.
    /// - Atomic because two submissions of one id must make one job with one driver, and because
    ///   the count of active jobs must hold while it is compared.
    static let submit = "return submitJob()"

    /// What `submit` does, for the script that fires a schedule as well.
    static let submitting = #"""
        local function dropEndedJobs()
          local tooMany = call('ZCARD', K.ended()) - LIMITS.endedJobs
          local old = upTo(K.ended(), now - LIMITS.retention)
          if tooMany > 0 then
            local count = math.min(tooMany, LIMITS.sweep)
            for _, job in ipairs(call('ZRANGE', K.ended(), 0, count - 1)) do old[#old + 1] = job end
          end
          for _, job in ipairs(old) do dropJob(job) end
        end

        local function submitJob()
          local job, submission, entrypoint = take(), take(), take()
          local driver, shape = take(), take()
          local priority, attemptsMax, delay = take(), take(), take()
          local deadlines, pool = take(), take()

          -- Where the job stands after others: those that are open, one that will never succeed.
          local open, obstacle, unknown, depth = {}, nil, {'unknown'}, 0
          local function placeAfter(id)
            local before = call('HMGET', K.job(id), 'state', 'depth')
            local state = before[1]
            if not state then
              unknown[#unknown + 1] = id
            elseif state == 'active' or state == 'stopping' then
              if not open[id] then open[#open + 1] = id end
              open[id] = true
              depth = math.max(depth, tonumber(before[2] or 0) + 1)
            elseif state ~= 'succeeded' then
              obstacle = obstacle or reasonOf(id, state)
            end
          end
          dropEndedJobs()
          for _ = 1, takeNumber() do placeAfter(take()) end
          local known = call('HGETALL', K.job(job))
          local isBusy = call('SCARD', K.active()) >= LIMITS.activeJobs
          local isFull = shapesAreFull({[shape] = true})
          if #known > 0 then return {'known', known} end -- guard: submit-once
          if isBusy then return {'full', 'activeJobs'} end -- guard: submit-bounded
          if isFull then return {'full', 'shapes'} end -- guard: submit-shapes-bounded
          if #unknown > 1 then return unknown end -- guard: after-known-jobs-only
          if depth > LIMITS.chain then return {'full', 'chain'} end -- guard: chains-are-bounded
          call('HSET', K.job(job), 'spec', submission, 'entrypoint', entrypoint, 'state', 'active',
            'phase', 'queued', 'submitted', now)
          call('SADD', K.active(), job)
          call('ZADD', K.jobs(), call('INCR', K.sequence()), job)
          local before, behind = specFrame('d', priority, shape)
          local spec = before .. digits(call('INCR', K.sequence())) .. behind
            .. attemptsMax .. '|' .. delay .. '||' .. deadlines .. '|6|driveri'
          local t = readSpec(driver, job, spec)
          t.state, t.attempt, t.due = 'waiting', 0, now
          add(driver, job, spec)
          if pool ~= '' then call('HSET', K.job(job), 'pool', pool) end
          t.held = (obstacle or #open > 0) and true or nil
          watch(driver, t)
          save(driver, t)
          if obstacle then
            stopFollower(job, obstacle)
          elseif t.held then
            call('HSET', K.job(job), 'waitsFor', table.concat(open, ','), 'depth', depth)
            for _, id in ipairs(open) do call('SADD', K.followers(id), job) end
          else
            enqueue(driver, t)
          end
          raise('job ' .. job)
          publish()
          return {'added', call('HGETALL', K.job(job))}
        end
        """#

    /// Asks for the end of a job.
    ///
    /// - Arguments: job id, driver id, who asks.
    /// - Reply: the job's fields; none when there is no such job.
    /// - Atomic because no task may be granted between the wish and the emptying of the queues.
    static let stop = #"""
        local job, driver, by = take(), take(), take()
        local known = readHash(K.job(job))
        if known.state ~= 'active' then return call('HGETALL', K.job(job)) end -- guard: stop-once
        call('HSET', K.job(job), 'state', 'stopping', 'by', by)
        if known.waitsFor then call('HDEL', K.job(job), 'waitsFor') end
        clearQueues(job)
        local t = load(driver)
        if t and t.state == 'waiting' then
          t.state = 'cancelled'
          t.by = by
          call('ZREM', K.delayed(), driver)
          settle(driver, t)
        end
        raise('work')
        raise('job ' .. job)
        raise('tasks ' .. job)
        publish()
        return call('HGETALL', K.job(job))
        """#

    /// Forgets a job that is over, with everything of it.
    ///
    /// - Arguments: job id.
    /// - Reply: 1 when it was there and over, else 0.
    /// - Atomic because an ending that comes meanwhile must find all of the job or nothing.
    static let delete = #"""
        local job = take()
        if not call('ZSCORE', K.ended(), job) then return 0 end -- guard: delete-only-ended
        dropJob(job)
        raise('job ' .. job)
        publish()
        return 1
        """#

    /// What the driver's worker says it is doing.
    ///
    /// - Arguments: job id, driver id, token, worker, phase, the phase's worker.
    /// - Reply: 'ok' or 'leaseLost'.
    /// - Atomic because a worker that lost the driver must not overwrite the phase of the next.
    static let report = #"""
        local job, driver, token, worker = take(), take(), takeNumber(), take()
        local phase, phaseWorker = take(), take()
        local t = load(driver)
        if not t or t.token ~= token then return 'leaseLost' end -- guard: report-needs-token
        if t.worker ~= worker then return 'leaseLost' end -- guard: report-needs-worker
        local state = call('HGET', K.job(job), 'state')
        if state ~= 'active' then return 'ok' end -- guard: report-only-active
        call('HSET', K.job(job), 'phase', phase, 'phaseWorker', phaseWorker)
        if phase == 'running' then call('HSETNX', K.job(job), 'started', now) end
        raise('job ' .. job)
        publish()
        return 'ok'
        """#
}
