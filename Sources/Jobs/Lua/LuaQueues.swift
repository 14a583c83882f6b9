/// Queues: which waiting task is granted next, without walking past those that do not fit.
///
/// Waiting tasks of one job and one shape (kind, resources, labels) stand in `waiting`, ordered by
/// priority, then age. The head of each such queue stands in `ready` of its shape, ordered by
/// priority, then the job's running tasks (the score), then age (the member begins with it).
/// `queues` of a job says which member stands for it in which shape. All steps are O(log n).
enum LuaQueues {
    static let text = #"""
        local PRIORITY_SPAN = 2 ^ 40
        local RUNNING_SPAN = 2 ^ 20

        local function forgetShapeUnlessReady(shape)
          if call('EXISTS', K.ready(shape)) == 0 then call('SREM', K.shapes(), shape) end
        end

        local function runningCount(job)
          return tonumber(call('HGET', K.job(job), 'running') or 0)
        end

        -- Where a queue whose head has this score stands in `ready`: its rank there, its member.
        local function placeInReady(job, score)
          local member = string.format('%016.0f', score % PRIORITY_SPAN) .. ':' .. job
          return math.floor(score / PRIORITY_SPAN) * RUNNING_SPAN, member
        end

        -- Brings the job's entry in ready[shape] up to date with its queue and running count.
        local function refresh(job, shape, running)
          local head = call('ZRANGE', K.waiting(job, shape), 0, 0, 'WITHSCORES')
          local old = call('HGET', K.queues(job), shape)
          local member = false
          if head[1] then
            local rank
            rank, member = placeInReady(job, tonumber(head[2]))
            call('ZADD', K.ready(shape), rank + math.min(running, RUNNING_SPAN - 1), member)
          end
          if old == member then return end
          if old then call('ZREM', K.ready(shape), old) end -- guard: old-head-leaves
          if member then
            call('SADD', K.shapes(), shape)
            call('HSET', K.queues(job), shape, member)
          else
            call('HDEL', K.queues(job), shape)
            forgetShapeUnlessReady(shape) -- guard: idle-shape-leaves
          end
        end

        function refreshQueues(job, shapes)
          local running = runningCount(job)
          for shape in pairs(shapes) do refresh(job, shape, running) end
        end

        -- Counts a task that began (1) or left off (-1) running; fair share looks at this.
        local function countRunning(job, change) count(job, 'running', change) end

        local function enqueue(id, t)
          local score = (1000 - t.priority) * PRIORITY_SPAN + t.sequence
          gather('ZADD', K.waiting(t.job, t.shape), score, id)
          queueChanged(t.job, t.shape)
          raise('work')
        end

        -- Takes all waiting tasks of a job out of the queues: nobody is granted one from now on.
        local function clearQueues(job)
          flush() -- guard: cleared-queues-stay-empty
          local queues = readHash(K.queues(job))
          for shape, member in pairs(queues) do
            call('ZREM', K.ready(shape), member)
            call('UNLINK', K.waiting(job, shape))
            forgetShapeUnlessReady(shape) -- guard: cleared-shape-leaves
          end
          call('UNLINK', K.queues(job))
        end

        -- A shape as text: kind;milliCPUs;memory;gpus;label,label and, where it is not usual,
        -- ;name*amount,name*amount;pool
        local shapeCache
        onBegin(function() shapeCache = {} end)
        local function parseShape(shape)
          local known = shapeCache[shape]
          if known then return known end
          local kind, cpus, memory, gpus, labels, custom, pool =
            string.match(shape, '^(%a+);(%d+);(%d+);(%d+);([^;]*);?([^;]*);?([^;]*)$')
          known = {kind = kind, cpus = tonumber(cpus), memory = tonumber(memory),
            gpus = tonumber(gpus), labels = {}, custom = {}, pool = 'default'}
          if pool ~= '' then known.pool = pool end
          for name, amount in string.gmatch(custom, '([^,*]+)%*(%d+)') do
            known.custom[name] = tonumber(amount)
          end
          for label in string.gmatch(labels, '[^,]+') do known.labels[#known.labels + 1] = label end
          shapeCache[shape] = known
          return known
        end

        -- Whether what is left of a worker takes a task of this shape.
        local function fits(shape, offer)
          local need = parseShape(shape)
          if need.cpus > offer.cpus then return false end -- guard: claim-fits-cpus
          if need.memory > offer.memory then return false end -- guard: claim-fits-memory
          if need.gpus > offer.gpus then return false end -- guard: claim-fits-gpus
          if not offer.pools[need.pool] then return false end -- guard: claim-fits-pool
          for name, amount in pairs(need.custom) do
            local has = offer.custom[name] or 0
            if amount > has then return false end -- guard: claim-fits-custom
          end
          local driverSlots = need.kind == 'driver' and 1 or 0
          if driverSlots > offer.driverSlots then return false end -- guard: claim-fits-driver-slots
          for _, label in ipairs(need.labels) do
            if not offer.labels[label] then return false end -- guard: claim-fits-labels
          end
          return true
        end

        -- Whether n more shapes than are known now may wait.
        local function shapesAreFull(wanted)
          local fresh = 0
          for shape in pairs(wanted) do
            if call('SISMEMBER', K.shapes(), shape) == 0 then fresh = fresh + 1 end
          end
          return fresh > 0 and call('SCARD', K.shapes()) + fresh > LIMITS.shapes
        end
        """#
}
