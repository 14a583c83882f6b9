/// Deadlines of tasks, the same as `TaskRecord+Deadlines.swift`.
///
/// Only tasks that have deadlines stand in `deadlines`; for all others these functions do nothing.
enum LuaDeadlines {
    /// What the lives need: which deadline stands.
    static let watch = #"""
        -- schedule-to-start, start-to-close, schedule-to-close and heartbeat, 0 for none.
        local function limitsOf(t)
          local start, close, whole, beats = string.match(t.deadlines, '^(%d+);(%d+);(%d+);(%d+)$')
          return {['schedule-to-start'] = tonumber(start), ['start-to-close'] = tonumber(close),
            ['schedule-to-close'] = tonumber(whole), heartbeat = tonumber(beats)}
        end

        -- Keeps which deadline strikes next in the task's present state. Called before `save`.
        local function watch(id, t)
          if not t.deadlines then return end
          local limits = limitsOf(t)
          local at, kind = nil, nil
          local isOpen = (t.state == 'waiting' and not t.held) or t.state == 'running'
          if not isOpen then
            at = nil
          elseif t.state == 'waiting' and limits['schedule-to-start'] > 0 then
            at, kind = t.due + limits['schedule-to-start'], 'schedule-to-start'
          elseif t.state == 'running' and limits['start-to-close'] > 0 then
            at, kind = now + limits['start-to-close'], 'start-to-close'
          end
          local whole = limits['schedule-to-close']
          local wholeAt = (t.revived or t.created) + whole
          if isOpen and whole > 0 and wholeAt <= (at or wholeAt) then
            at, kind = wholeAt, 'schedule-to-close'
          end
          if at then
            t.deadline = {kind, at}
            call('ZADD', K.deadlines(), at, id)
          else
            t.deadline = nil
            call('ZREM', K.deadlines(), id)
          end
        end

        -- "start-to-close 5 s exceeded"
        local function exceeded(t, kind)
          local limit = limitsOf(t)[kind]
          local span = digits(limit) .. ' ms'
          if limit % 1000 == 0 then span = digits(limit / 1000) .. ' s' end
          if kind == 'schedule-to-close' and t.kind == 'driver' then kind = 'job timeout' end
          return kind .. ' ' .. span .. ' exceeded'
        end
        """#

    /// What claims and heartbeats do: end what took too long.
    static let sweep = #"""
        -- Ends the attempt that runs, or the waiting.
        local function passDeadline(id, t)
          local kind = t.deadline[1]
          local cause = exceeded(t, kind)
          local worker = t.worker
          local isRunning = t.state == 'running'
          if isRunning then cause = cause .. ' on ' .. worker end
          local failure = cjson.encode({kind = 'deadline', message = cause})
          if isRunning then
            t.overdue = t.token
            leaveRunning(id, t)
            fail(id, t, worker, failure, cause, kind == 'start-to-close')
          else
            leaveQueue(id, t)
            t.state = 'failed'
            t.failure = failure
            settle(id, t, 'failed')
          end
        end

        local function passDeadlines()
          if now < grace then return end -- guard: deadlines-grace-after-outage
          for _, id in ipairs(upTo(K.deadlines(), now)) do
            local t = load(id)
            local isOut = not (t and t.deadline) or (t.state == 'waiting' and wish(t))
            if isOut then call('ZREM', K.deadlines(), id) else passDeadline(id, t) end
          end
        end

        -- Takes overdue tasks from workers that stopped answering.
        local function expireOverdue()
          flush()
          if now < grace then return end -- guard: grace-after-outage
          for _, id in ipairs(upTo(K.leases(), now)) do
            local t = load(id)
            if t then lose(id, t) else call('ZREM', K.leases(), id) end
          end
        end
        """#
}
