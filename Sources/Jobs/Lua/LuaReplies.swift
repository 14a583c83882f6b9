/// How functions tell of tasks; `RedisTaskCoding.swift` is the other side.
enum LuaReplies {
    static let text = #"""
        -- A task as an array; a nil would end it early, so absent values are false (null).
        -- `expiry` says when its lease ends, where that is known.
        local wishes
        onBegin(function() wishes = {} end)
        local function describe(id, t, expiry)
          local key = t.life and t.job .. ' ' .. t.life or t.job
          if wishes[key] == nil then wishes[key] = wishOfJob(t.job, t.life) or false end
          local state, by = t.state, t.by
          if state == 'waiting' and wishes[key] then state, by = 'cancelled', wishes[key] end
          if state == 'running' then by = t.cancel or wishes[key] or by end
          if state == 'running' and not expiry then
            expiry = tonumber(call('ZSCORE', K.leases(), id))
          end
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
            t.input, t.result or false, history, rare
          }
        end
        """#
}
