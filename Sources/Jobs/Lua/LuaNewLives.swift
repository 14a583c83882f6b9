/// Retries and jobs that come after others, the same as `JobRecord+NewLife.swift`.
///
/// A job counts its lives; a task says to which it belongs, nothing for the first. Waiting tasks
/// of an earlier life stand in no queue and read as cancelled (`wishOfJob`), as those of a stopped
/// job.
enum LuaNewLives {
    static let text = #"""
        local function stopFollower(job, by)
          local driver = job .. '/driver'
          local t = load(driver)
          t.state = 'cancelled'
          t.by = by
          settle(driver, t)
        end

        -- Lets a held driver into the queue; its deadlines begin.
        local function release(job)
          local driver = job .. '/driver'
          local t = load(driver)
          t.held = nil
          t.due = now
          t.revived = now
          watch(driver, t)
          save(driver, t)
          enqueue(driver, t)
        end

        local function reasonOf(job, state)
          return 'job ' .. job .. (state == 'failed' and ', which failed' or ', which was stopped')
        end

        -- Lets go, or stops, the jobs that waited for one that is over.
        function tellFollowers(job, state)
          for _, follower in ipairs(call('SMEMBERS', K.followers(job))) do
            local known = call('HMGET', K.job(follower), 'state', 'waitsFor')
            local isHeld = known[1] == 'active' and known[2]
            if isHeld and state == 'succeeded' then
              local open = {}
              for id in string.gmatch(known[2], '[^,]+') do
                if id ~= job then open[#open + 1] = id end
              end
              if #open > 0 then
                call('HSET', K.job(follower), 'waitsFor', table.concat(open, ','))
              else
                call('HDEL', K.job(follower), 'waitsFor')
                release(follower)
              end
              raise('job ' .. follower)
            elseif isHeld then
              call('HDEL', K.job(follower), 'waitsFor')
              stopFollower(follower, reasonOf(job, state))
            end
          end
          call('UNLINK', K.followers(job))
        end

        -- A task that failed or was cancelled waits again, with fresh attempts.
        local function revive(id, t, life)
          if t.state == 'failed' and t.kind == 'task' then
            call('ZREM', K.dead(t.job), id) -- guard: revived-task-is-not-dead
            count(t.job, 'failed', -1)
          end
          call('ZREM', K.delayed(), id) -- guard: revived-task-is-not-delayed
          t.state, t.attempt, t.due = 'waiting', 0, now
          t.by, t.failure, t.cancel, t.held = nil, nil, nil, nil
          t.life, t.revived = life, now
          watch(id, t)
          save(id, t)
          enqueue(id, t)
        end

        local function lifeOf(job) return tonumber(call('HGET', K.job(job), 'life') or 1) end
        """#

    /// Begins a new life of a job, of one of its tasks, or of both.
    ///
    /// - Arguments: job id, driver id, task id or '' for the job alone.
    /// - Reply: 'ok'; 'none' when there is no such job or task; 'stopping', 'succeeded', 'running';
    ///   or 'full' and why.
    /// - Atomic because the job must not be dropped, or retried by another, halfway.
    static let retry = #"""
        local job, driver, id = take(), take(), take()
        local known = readHash(K.job(job))
        local task = id ~= '' and load(id)
        local isNone = not known.state or (id ~= '' and not task)
        if isNone then return {'none'} end
        local life = lifeOf(job)
        local isOpen = task and (task.state == 'running'
          or (task.state == 'waiting' and not wish(task)))
        if task and (isOpen or task.state == 'succeeded') then return {'ok'} end

        local function beginAnew(d)
          life = life + 1
          call('HSET', K.job(job), 'state', 'active', 'phase', 'queued', 'life', life,
            'endedBy', known.by or LIMITS.endOfJob)
          call('HDEL', K.job(job), 'by', 'ended', 'started', 'failure', 'result', 'phaseWorker')
          call('ZREM', K.ended(), job)
          call('SADD', K.active(), job)
          call('PERSIST', K.job(job)) -- guard: retried-job-is-kept
          local function keep(key) call('PERSIST', K[key](job)) end
          for _, key in ipairs(kept) do keep(key) end -- guard: retried-tasks-are-kept
          revive(driver, d, life)
          raise('job ' .. job)
        end

        local shapes = {}
        if task then shapes[task.shape] = true end
        if known.state ~= 'active' then
          if known.state == 'stopping' then return {'stopping'} end
          if known.state == 'succeeded' then return {'succeeded'} end -- guard: retry-not-succeeded
          local isBusy = tonumber(known.running or 0) > 0
          if isBusy then return {'running'} end -- guard: retry-after-all-ended
          local isTooMany = call('SCARD', K.active()) >= LIMITS.activeJobs
          if isTooMany then return {'full', 'activeJobs'} end -- guard: retry-bounded
          local d = load(driver)
          shapes = {[d.shape] = true}
          if shapesAreFull(shapes) then return {'full', 'shapes'} end -- guard: retry-shapes-bounded
          beginAnew(d)
        elseif task and shapesAreFull(shapes) then
          return {'full', 'shapes'}
        end
        if task and id ~= driver then revive(id, task, life) end
        publish()
        return {'ok'}
        """#
}
