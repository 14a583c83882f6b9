/// How scripts read endings and tell of tasks; `RedisTaskCoding.swift` is the other side.
enum LuaReplies {
    static let text = #"""
        local function takeOutcome()
          local outcome = {kind = take(), payload = take(), text = take(), cause = take()}
          return outcome
        end

        local function takeEndings()
          local endings, ofJob = {}, {}
          for i = 1, takeNumber() do
            local ending = {take(), takeNumber(), take(), takeOutcome()}
            endings[i] = ending
            local job = jobOf(ending[1])
            if job then
              ofJob[job] = ofJob[job] or {}
              table.insert(ofJob[job], ending[1])
            end
          end
          for job, ids in pairs(ofJob) do loadAll(job, ids) end
          local replies = {}
          for i, ending in ipairs(endings) do
            replies[i] = endAttempt(ending[1], ending[2], ending[3], ending[4])
          end
          flush()
          return replies
        end

        -- A task as an array; a nil would end it early, so absent values are false (null).
        -- `known` says what was read already: its input, and when its lease ends.
        local wishes = {}
        local function describe(id, t, known)
          local key = t.life and t.job .. ' ' .. t.life or t.job
          if wishes[key] == nil then wishes[key] = wishOfJob(t.job, t.life) or false end
          local state, by = t.state, t.by
          if state == 'waiting' and wishes[key] then state, by = 'cancelled', wishes[key] end
          if state == 'running' then by = t.cancel or wishes[key] or by end
          local expiry = known and known.expiry
          if state == 'running' and not expiry then
            expiry = tonumber(call('ZSCORE', K.leases(), id))
          end
          local result = state == 'succeeded' and call('HGET', K.results(t.job), id)
          -- What few tasks have.
          local rare = false
          if t.deadlines or t.life or t.held or t.revived then
            local deadline = t.deadline or {'', 0}
            rare = {t.deadlines or '', deadline[1], deadline[2], t.overdue or 0, t.life or 1,
              t.revived or 0, t.held and 1 or 0}
          end
          local history = {}
          for i, entry in ipairs(t.history) do history[i] = entry end
          return {
            id, t.job, t.kind, t.name, t.shape, t.priority, t.attemptsMax,
            t.retriesErrors and 1 or 0, t.retriesCrashes and 1 or 0, t.delay, t.created, t.attempt,
            state, t.due or 0, t.worker or false, t.token or 0, expiry or 0, by or false,
            t.failure or false, t.ended or 0,
            known and known.input or call('HGET', K.inputs(t.job), id) or false,
            result or false, history, rare
          }
        end
        """#
}
