/// How tasks stand in Redis; `docs/REDIS.md` shows the forms, `RedisTaskForm` is the other side.
///
/// What a task is (`tasks`) is written once, as its driver's worker sent it. What became of it
/// (`lives`) is nothing for one that waits for its first attempt, a line for one that runs or
/// succeeded in it, and a table for all others. Whoever moves many plain tasks passes these texts
/// on and need not read them.
enum LuaTaskForms {
    static let text = #"""
        -- 'p' for a task without deadlines, 'd' for one with them and for drivers; when it was
        -- created, its place among all tasks, its priority and shape; then what is sent:
        -- attemptsMax, delay, retries ('e' for errors, 'c' for crashes), deadlines, the name's
        -- length; name, input.
        local SPEC = '^(%a)|(%d+)|(%d+)|(%-?%d+)|([^|]*)|(%d+)|(%d+)|(%a*)|([%d;]*)|(%d+)|()'

        -- What stands before and behind the sequence in the specs of tasks that are alike.
        local function specFrame(flag, priority, shape)
          return flag .. '|' .. digits(now) .. '|', '|' .. priority .. '|' .. shape .. '|'
        end

        local function readSpec(id, job, spec)
          local flag, created, sequence, priority, shape, attemptsMax, delay, retries, deadlines,
            length, from = match(spec, SPEC)
          if not flag then error('task ' .. id .. ' cannot be read') end
          local t = {flag = flag, job = job, kind = match(shape, '^%a+'), shape = shape,
            created = tonumber(created), sequence = tonumber(sequence),
            priority = tonumber(priority), attemptsMax = tonumber(attemptsMax),
            delay = tonumber(delay), history = {}, name = string.sub(spec, from, from + length - 1),
            input = string.sub(spec, from + length)}
          t.retriesErrors = string.find(retries, 'e', 1, true) and true or nil
          t.retriesCrashes = string.find(retries, 'c', 1, true) and true or nil
          if deadlines ~= '' then t.deadlines = deadlines end
          return t
        end

        -- 'r', attempt, token, lease length, worker; or 's', attempt, token, result; or 'x' and all
        -- of `LIFE` that is there.
        local LIFE = {'state', 'attempt', 'due', 'worker', 'token', 'length', 'ended', 'by',
          'cancel', 'failure', 'deadline', 'overdue', 'life', 'held', 'revived', 'result'}

        local function readLife(t, life)
          local form = life and string.sub(life, 1, 1)
          if not life then
            t.state, t.attempt, t.due = 'waiting', 0, t.created
          elseif form == 'r' then
            local attempt, token, length, worker =
              match(life, '^r|(%d+)|(%d+)|(%d+)|(.*)$')
            t.state, t.attempt, t.token = 'running', tonumber(attempt), tonumber(token)
            t.length, t.worker = tonumber(length), worker
          elseif form == 's' then
            local attempt, token, result = match(life, '^s|(%d+)|(%d+)|(.*)$')
            t.state, t.attempt, t.ended, t.result =
              'succeeded', tonumber(attempt), tonumber(token), result
          else
            local kept = cmsgpack.unpack(string.sub(life, 2))
            if type(kept) ~= 'table' then error('a task is no table') end
            for _, field in ipairs(LIFE) do t[field] = kept[field] end
            t.history = kept.history or {}
          end
          if not t.state or not t.attempt then error('a task has no state') end
        end

        local function isPlainLife(t)
          return t.flag == 'p' and #t.history == 0
            and not (t.cancel or t.life or t.held or t.revived or t.overdue or t.by)
        end

        -- What is kept of a task's life; false for nothing.
        local function lifeText(t)
          if isPlainLife(t) then
            if t.state == 'running' and not t.ended then
              return 'r|' .. t.attempt .. '|' .. digits(t.token) .. '|' .. t.length .. '|'
                .. t.worker
            elseif t.state == 'succeeded' then
              return 's|' .. t.attempt .. '|' .. digits(t.ended) .. '|' .. t.result
            elseif t.state == 'waiting' and t.attempt == 0 and t.due == t.created and not t.ended
            then
              return false
            end
          end
          local kept = {history = #t.history > 0 and t.history or nil}
          for _, field in ipairs(LIFE) do kept[field] = t[field] end
          return 'x' .. cmsgpack.pack(kept)
        end
        """#
}
