/// Writes that gather while a function runs, so that a hundred tasks cost one command of each kind
/// and not a hundred. A command that Lua calls costs about a microsecond, whatever it does.
///
/// What is gathered is not there for other commands until `flush`: who reads keys that gathered
/// writes may change calls it first. `publish`, with which every function that changes something
/// ends, does.
enum LuaGathering {
    static let text = #"""
        -- Commands with any number of members, by command and key, in the order of their keys.
        local gathered, gatheredInOrder
        onBegin(function() gathered, gatheredInOrder = {}, {} end)
        -- The words that a command will have for a key; good until the next `flush`.
        local function wordsFor(command, key)
          local byKey = gathered[command]
          if not byKey then
            byKey = {}
            gathered[command] = byKey
          end
          local words = byKey[key]
          if not words then
            words = {}
            byKey[key] = words
            gatheredInOrder[#gatheredInOrder + 1] = {command, key, words}
          end
          return words
        end
        local function gather(command, key, a, b)
          local words = wordsFor(command, key)
          words[#words + 1] = a
          if b ~= nil then words[#words + 1] = b end
        end

        -- Changes of a job's counters, running tasks and queues.
        local counted, lateJobs, staleQueues
        onBegin(function() counted, lateJobs, staleQueues = {}, {}, {} end)
        local function count(job, counter, change)
          local counters = counted[job]
          if not counters then
            counters = {}
            counted[job] = counters
          end
          counters[counter] = (counters[counter] or 0) + change
        end
        local function queueChanged(job, shape)
          local shapes = staleQueues[job]
          if not shapes then
            shapes = {}
            staleQueues[job] = shapes
          end
          shapes[shape] = true
        end

        -- Lua takes so many values from a table at once, an even number.
        local WORDS_MAX = 4000
        local function callWith(command, key, words)
          for first = 1, #words, WORDS_MAX do
            call(command, key, unpack(words, first, math.min(first + WORDS_MAX - 1, #words)))
          end
        end

        local saveTasks, refreshQueues, expireWithJob -- of LuaLives and LuaQueues
        local function flush()
          saveTasks()
          local writes = gatheredInOrder
          gathered, gatheredInOrder = {}, {}
          for _, write in ipairs(writes) do callWith(write[1], write[2], write[3]) end
          local counters = counted
          counted = {}
          for job, changes in pairs(counters) do
            for counter, change in pairs(changes) do
              if change ~= 0 then call('HINCRBY', K.job(job), counter, change) end
            end
            if (changes.running or 0) ~= 0 then
              for _, shape in ipairs(call('HKEYS', K.queues(job))) do queueChanged(job, shape) end
            end
          end
          local queues = staleQueues
          staleQueues = {}
          for job, shapes in pairs(queues) do refreshQueues(job, shapes) end
          local late = lateJobs
          lateJobs = {}
          for job in pairs(late) do expireWithJob(job) end
        end
        """#
}
