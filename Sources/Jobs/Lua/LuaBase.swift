/// What every function begins with: keys, arguments, the server's clock, signals.
///
/// The functions of the library share these names and what stands in them; a call finds all of it
/// as `begin` left it. What a piece keeps during a call it empties in `onBegin`.
///
/// A line that ends with `-- guard: name` protects an invariant by itself: `script/mutate-lua`
/// removes each in turn and expects the contract suite to notice.
enum LuaBase {
    /// The server's clock, microseconds and milliseconds since 1970. No other clock decides
    /// anything.
    static let serverClock = #"""
        local clock = call('TIME')
        micros = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
        now = math.floor(micros / 1000)
        """#

    /// - Parameter clock: Lua that sets `micros` and `now`.
    static func text(clock: String) -> String {
        """
        local call, ARGV, cursor, now, micros
        -- Of the standard library, what every task needs: a local is found at once.
        local match, format, byte
        local resets = {}
        local function onBegin(reset) resets[#resets + 1] = reset end
        local function begin(keys, arguments)
          call, match, format, byte = redis.call, string.match, string.format, string.byte
          P = keys[1]
          ARGV, cursor = arguments, 0
        \(clock)
          for i = 1, #resets do resets[i]() end
        end
        \(tools)
        """
    }

    private static let tools = #"""
        -- Arguments in order; functions read them once from left to right.
        local function take()
          cursor = cursor + 1
          return ARGV[cursor]
        end
        local function takeNumber() return tonumber(take()) end

        -- Lua writes large numbers in exponential form; keys and replies want digits.
        local function digits(number) return format('%d', number) end

        -- Fencing tokens grow for ever, also when Redis lost its last second at a crash: a token is
        -- never smaller than the microseconds since 1970 at which it was made.
        local function nextToken()
          local token = call('INCR', K.token())
          local floor = 0
          floor = micros -- guard: token-survives-loss
          if token < floor then
            token = floor
            call('SET', K.token(), digits(floor))
          end
          return token
        end

        local raised, raisedList
        onBegin(function() raised, raisedList = {}, {} end)
        local function raise(signal)
          if not raised[signal] then
            raised[signal] = true
            raisedList[#raisedList + 1] = signal
          end
        end

        -- Members of a sorted set up to a score, at most as many as one call sweeps.
        local function upTo(key, score)
          return call('ZRANGEBYSCORE', key, '-inf', score, 'LIMIT', 0, LIMITS.sweep)
        end

        -- Pairs of HGETALL as a table.
        local function readHash(key)
          local flat = call('HGETALL', key)
          local hash = {}
          for i = 1, #flat, 2 do hash[flat[i]] = flat[i + 1] end
          return hash
        end
        """#

    /// The end of every function that changes something; stands behind `LuaGathering`.
    static let publishing = #"""
        local function publish()
          flush()
          if #raisedList > 0 then
            call('PUBLISH', K.signals(), table.concat(raisedList, '\n'))
          end
        end
        """#
}
