/// The lives of tasks and jobs, the same as `TaskRecord+Life.swift` and `JobRecord+Life.swift`.
///
/// One difference in form, none in effect: when a job is stopped or over, its waiting tasks are not
/// rewritten one by one. Their queues are dropped, and they read as cancelled (`wish`).
enum LuaLives {
    static let text = #"""
        local function jobOf(id) return match(id, '^([^/]+)/') end

        -- Tasks this call has read, as they are now: false for one that is not there. What was
        -- changed is written by `flush`. `lives` is what is kept of tasks' lives where a call looks
        -- at that alone, as `flush` will have written it.
        local seen, changed, lives
        onBegin(function() seen, changed, lives = {}, {}, {} end)
        local function see(id, job, spec, life)
          if not spec then
            seen[id] = false
            return
          end
          if lives[id] ~= nil then life = lives[id] end
          local t = readSpec(id, job, spec)
          readLife(t, life)
          seen[id] = t
        end

        -- Reads many tasks of a job with two commands.
        local function loadAll(job, ids)
          local unseen = {}
          for _, id in ipairs(ids) do
            if seen[id] == nil then unseen[#unseen + 1] = id end
          end
          if #unseen == 0 then return end
          local specs = call('HMGET', K.tasks(job), unpack(unseen))
          local kept = call('HMGET', K.lives(job), unpack(unseen))
          for i, id in ipairs(unseen) do see(id, job, specs[i], kept[i]) end
        end

        local function load(id)
          if seen[id] == nil then
            local job = jobOf(id)
            if job then loadAll(job, {id}) else seen[id] = false end
          end
          return seen[id] or nil
        end
        local function save(id, t)
          seen[id] = t
          changed[id] = t
        end

        -- Keeps what a new task is; what became of it is kept by `save`.
        local function add(id, job, spec)
          gather('HSET', K.tasks(job), id, spec)
          gather('RPUSH', K.order(job), id)
        end

        function saveTasks()
          for id, t in pairs(changed) do
            local life = lifeText(t)
            if life then
              gather('HSET', K.lives(t.job), id, life)
            else
              gather('HDEL', K.lives(t.job), id)
            end
          end
          changed = {}
        end

        -- Who wants the tasks of one life of a job to end; nil while it is active.
        local function wishOfJob(job, life)
          local known = call('HMGET', K.job(job), 'state', 'by', 'life', 'endedBy')
          local isPast = known[3] and (life or 1) < tonumber(known[3])
          if isPast then return known[4] end -- guard: tasks-of-a-past-life-are-over
          if known[1] == 'active' then return nil end
          return known[2] or LIMITS.endOfJob
        end
        -- Who wants this task to end; nil while nobody does.
        local function wish(t) return t.cancel or wishOfJob(t.job, t.life) end

        local over
        onBegin(function() over = {} end)
        local function isOver(job)
          if over[job] == nil then
            local state = call('HGET', K.job(job), 'state')
            over[job] = state ~= 'active' and state ~= 'stopping'
          end
          return over[job]
        end

        -- What is kept of a job that is over, beside its own key.
        local kept = {'tasks', 'lives', 'order', 'ends', 'dead', 'log', 'logState'}

        -- Keys of a job that is over live as long as the job's own key.
        function expireWithJob(job)
          local left = call('PTTL', K.job(job))
          if left < 0 then return end
          for _, key in ipairs(kept) do call('PEXPIRE', K[key](job), left) end
        end

        local function dropJob(job)
          call('ZREM', K.ended(), job)
          call('ZREM', K.jobs(), job)
          call('UNLINK', K.job(job), K.tasks(job), K.lives(job), K.order(job), K.ends(job),
            K.dead(job), K.log(job), K.logState(job))
        end

        local tellFollowers -- of jobs that come after others: LuaNewLives
        local function endJob(job, state)
          call('HSET', K.job(job), 'state', state, 'ended', now)
          call('SREM', K.active(), job)
          call('ZADD', K.ended(), now, job)
          clearQueues(job)
          call('PEXPIRE', K.job(job), LIMITS.retention)
          lateJobs[job] = true
          over[job] = true
          raise('job ' .. job)
          raise('tasks ' .. job)
          tellFollowers(job, state)
        end

        -- The job takes over what became of its driver.
        local function followDriver(id, t)
          local job = t.job
          if t.state == 'waiting' then
            if call('HGET', K.job(job), 'state') == 'active' then
              call('HSET', K.job(job), 'phase', 'queued')
              call('HDEL', K.job(job), 'phaseWorker')
            end
            raise('job ' .. job)
          elseif t.state == 'succeeded' then
            call('HSET', K.job(job), 'result', t.result)
            endJob(job, 'succeeded')
          elseif t.state == 'failed' then
            call('HSET', K.job(job), 'failure', t.failure)
            endJob(job, 'failed')
          elseif t.state == 'cancelled' then
            call('HSET', K.job(job), 'by', t.by)
            endJob(job, 'stopped')
          end
        end

        -- After a task's state changed: keep it, count it, tell those who wait, let its job follow.
        local function settle(id, t, counter)
          if t.deadlines then watch(id, t) end
          save(id, t)
          if t.state == 'failed' and t.kind == 'task' then
            call('ZADD', K.dead(t.job), t.sequence, id)
          end
          if counter and t.kind == 'task' then count(t.job, counter, 1) end
          if t.state ~= 'waiting' then
            raise('tasks ' .. t.job)
            if t.kind == 'task' then gather('RPUSH', K.ends(t.job), id) end
          end
          if t.kind == 'driver' then followDriver(id, t) end
          if isOver(t.job) then lateJobs[t.job] = true end -- guard: late-results-expire
        end

        -- Out of the queues: nobody is granted it from now on.
        local function leaveQueue(id, t)
          call('ZREM', K.delayed(), id)
          call('ZREM', K.waiting(t.job, t.shape), id)
          queueChanged(t.job, t.shape)
        end

        local function cancelWaiting(id, t, by)
          leaveQueue(id, t)
          t.state = 'cancelled'
          t.by = by
          settle(id, t)
        end

        -- The attempt is over: its lease is no longer anybody's.
        local function leaveRunning(id, t)
          t.token = nil
          t.worker = nil
          t.length = nil
          gather('ZREM', K.leases(), id)
          countRunning(t.job, -1)
        end

        -- Back into the queue, now or at `due`; a task that should end ends instead.
        local function waitAgain(id, t, due, counter)
          t.by = wish(t)
          t.state = 'waiting'
          if t.by then t.state = 'cancelled' end -- guard: cancelled-not-retried
          if t.state == 'cancelled' then return settle(id, t) end
          t.due = due
          if due > now then call('ZADD', K.delayed(), due, id) else enqueue(id, t) end
          settle(id, t, counter)
        end

        -- Grows with each attempt, less up to a half by chance: RetryPolicy+Delay.swift.
        local function delayAfter(id, t)
          local base = math.max(0, math.min(t.delay, LIMITS.delay))
          local whole = math.min(base * 2 ^ math.max(0, math.min(t.attempt - 1, 15)), LIMITS.delay)
          local half = math.floor(whole / 2)
          local digest = redis.sha1hex(id .. '#' .. digits(t.attempt))
          return half + tonumber(string.sub(digest, 1, 8), 16) % (whole - half + 1)
        end

        local function fail(id, t, worker, failure, cause, isRetried, lines)
          local history = t.history
          history[#history + 1] = {t.attempt, worker, cause, now, lines}
          local isLong = #history > LIMITS.history
          if isLong then table.remove(history, 1) end -- guard: history-is-bounded
          if t.attempt >= t.attemptsMax then isRetried = false end -- guard: attempts-are-bounded
          if isRetried then return waitAgain(id, t, now + delayAfter(id, t), 'retried') end
          t.by = wish(t)
          t.state = 'failed'
          if t.by then t.state = 'cancelled' end -- guard: failure-after-cancel-is-cancelled
          if t.state == 'cancelled' then return settle(id, t) end
          t.failure = failure
          settle(id, t, 'failed')
        end

        -- Whether (token, worker) holds the driver of an active job; if not, why.
        local function driverRefusal(job, driver, token, worker)
          local state = call('HGET', K.job(job), 'state')
          if not state then return 'leaseLost' end -- guard: driver-needs-job
          if state ~= 'active' then return 'jobOver' end -- guard: driver-needs-active-job
          local t = load(driver)
          if t.token ~= token then return 'leaseLost' end -- guard: driver-needs-token
          if t.worker ~= worker then return 'leaseLost' end -- guard: driver-needs-worker
          return nil
        end

        -- Why the attempt granted by (token, worker) is not to be ended; nil when it is.
        local function endingRefusal(t, token, worker)
          if not t then return 'leaseLost' end -- guard: ending-needs-task
          if t.ended == token then return 'duplicate' end -- guard: ending-once
          if t.token ~= token then return 'leaseLost' end -- guard: ending-needs-token
          if t.worker ~= worker then return 'leaseLost' end -- guard: ending-needs-worker
          return nil
        end

        -- Ends the attempt granted by (token, worker). `outcome` has been read from the arguments.
        local function endAttempt(id, token, worker, outcome)
          local t = load(id)
          local refusal = endingRefusal(t, token, worker)
          if refusal then
            call('HINCRBY', K.counters(), refusal, 1)
            return refusal
          end
          leaveRunning(id, t)
          t.ended = token
          if outcome.kind == 'succeeded' then
            t.state = 'succeeded'
            t.result = outcome.payload
            settle(id, t, 'succeeded')
          elseif outcome.kind == 'cancelled' then
            t.by = wish(t) or outcome.text
            t.state = 'cancelled'
            settle(id, t)
          elseif outcome.kind == 'released' then
            t.attempt = t.attempt - 1
            waitAgain(id, t, now)
          else
            local isRetried = t.retriesErrors
            if outcome.kind == 'crashed' then isRetried = t.retriesCrashes end
            fail(id, t, worker, outcome.text, outcome.cause, isRetried,
              outcome.payload ~= '' and outcome.payload or nil)
          end
          return 'committed'
        end

        -- Takes an overdue task from a worker that stopped answering.
        local function lose(id, t)
          local worker = t.worker
          local kind, cause = 'lost', worker .. ' stopped answering'
          if t.deadlines and limitsOf(t).heartbeat > 0 then
            kind, cause = 'deadline', exceeded(t, 'heartbeat') .. ' on ' .. worker
          end
          leaveRunning(id, t)
          fail(id, t, worker, cjson.encode({kind = kind, message = cause}), cause, true)
        end
        """#
}
