/// How attempts end, many in one call; `RedisTaskCoding.append(_:to:)` is the other side.
enum LuaEndings {
    static let text = #"""
        local function takeOutcome()
          local outcome = {kind = take(), payload = take(), text = take(), cause = take()}
          return outcome
        end

        -- Of plain tasks that ran at their first attempt only what is kept of their lives is read.
        local function readLives(job, ids)
          local kept = call('HMGET', K.lives(job), unpack(ids))
          for i, id in ipairs(ids) do lives[id] = kept[i] end
        end

        -- The words that plain endings of a job add to, until the next `flush`, and how many there
        -- were.
        local function plainEnds(job)
          return {lives = wordsFor('HSET', K.lives(job)), leases = wordsFor('ZREM', K.leases()),
            ends = wordsFor('RPUSH', K.ends(job)), count = 0}
        end

        -- Ends a plain task's attempt that succeeded: the same as `endAttempt`, to which it leaves
        -- whatever is not as it should be. Answers whether it did.
        local function endPlain(words, id, token, worker, payload)
          local life = lives[id]
          if not life or seen[id] ~= nil then return false end
          local attempt, held, holder = match(life, '^r|(%d+)|(%d+)|%d+|(.*)$')
          if held ~= token or holder ~= worker then return false end
          life = 's|' .. attempt .. '|' .. token .. '|' .. payload
          lives[id] = life
          local last = #words.lives
          words.lives[last + 1] = id
          words.lives[last + 2] = life
          words.leases[#words.leases + 1] = id
          words.ends[#words.ends + 1] = id
          words.count = words.count + 1
          return true
        end

        local function countPlainEnds(job, words)
          if words.count == 0 then return end
          countRunning(job, -words.count)
          count(job, 'succeeded', words.count)
          raise('tasks ' .. job)
          if isOver(job) then lateJobs[job] = true end -- guard: late-plain-results-expire
        end

        -- How many; of each: 's', task, token, worker, payload for a success, or 'o', task, token,
        -- worker and the outcome. Answers how many when all were committed, else a word for each.
        local function takeEndings()
          local ids, tokens, workers, payloads, outcomes, jobs = {}, {}, {}, {}, {}, {}
          local plain, other = {}, {}
          local total = takeNumber()
          for i = 1, total do
            local isPlain, id = take() == 's', take()
            local job = jobOf(id) or ''
            ids[i], tokens[i], workers[i], jobs[i] = id, take(), take(), job
            if isPlain then payloads[i] = take() else outcomes[i] = takeOutcome() end
            local ofJob = isPlain and plain or other
            local list = ofJob[job]
            if not list then
              list = {}
              ofJob[job] = list
            end
            list[#list + 1] = id
          end
          for job, list in pairs(plain) do readLives(job, list) end
          for job, list in pairs(other) do loadAll(job, list) end

          local replies, committed, words = {}, 0, {}
          local function countAll()
            for job, ofJob in pairs(words) do countPlainEnds(job, ofJob) end
            words = {}
          end
          for i = 1, total do
            local id, payload, job, word = ids[i], payloads[i], jobs[i], 'committed'
            if payload and not words[job] then words[job] = plainEnds(job) end
            if not (payload and endPlain(words[job], id, tokens[i], workers[i], payload)) then
              countAll()
              local outcome = outcomes[i] or {kind = 'succeeded', payload = payload}
              word = endAttempt(id, tonumber(tokens[i]), workers[i], outcome)
            end
            replies[i] = word
            if word == 'committed' then committed = committed + 1 end
          end
          countAll()
          flush()
          return committed == total and total or replies
        end
        """#
}
