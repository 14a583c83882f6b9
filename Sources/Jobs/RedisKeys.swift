/// Every key that Manta has in Redis, and nothing else makes one.
///
/// Scripts get the same names as functions of a table `K`, made from this list (`RedisKeys.lua`);
/// `docs/REDIS.md` says of each its type, writer and lifetime, and a test compares the two.
enum RedisKey: String, CaseIterable, Sendable {
    // Counters and the pulse
    case token = "token"
    case sequence = "sequence"
    case pulse = "pulse"
    case counters = "counters"
    case format = "format"
    // Jobs
    case jobs = "jobs"
    case active = "active"
    case ended = "ended"
    case job = "job:<job>"
    case tasks = "job:<job>:tasks"
    case lives = "job:<job>:lives"
    case order = "job:<job>:order"
    case ends = "job:<job>:ends"
    case queues = "job:<job>:queues"
    case waiting = "job:<job>:waiting:<shape>"
    case dead = "job:<job>:dead"
    case followers = "job:<job>:followers"
    case log = "job:<job>:log"
    case logState = "job:<job>:log-state"
    // Queues over all jobs
    case shapes = "shapes"
    case ready = "ready:<shape>"
    case delayed = "delayed"
    case leases = "leases"
    case deadlines = "deadlines"
    // Workers and builds
    case workers = "workers"
    case heartbeats = "heartbeats"
    case build = "build:<key>"
    // Schedules
    case schedules = "schedules"
    case fires = "fires"
    case fired = "fired"
    // Blobs
    case blob = "blob:<digest>"
    case blobUses = "blob-uses"
    case blobSizes = "blob-sizes"
    case blobBytes = "blob-bytes"
    case originUses = "origin-uses"
    case originRemovals = "origin-removals"
    // A channel, not a key
    case signals = "signals"
}

struct RedisKeys: Sendable {
    /// What all keys of this cluster begin with: "manta:".
    let prefix: String

    init(namespace: String) { prefix = namespace + ":" }

    /// The full name of a key, with `arguments` in the places of its `<…>`.
    func name(_ key: RedisKey, _ arguments: String...) -> String {
        var name = prefix
        var rest = arguments[...]
        for (text, isHole) in key.parts {
            if isHole { name += rest.popFirst() ?? "" } else { name += text }
        }
        return name
    }

    /// The table `K` for scripts: `K.tasks(job)` answers the name of the key `tasks`.
    static let lua: String = {
        let lines = RedisKey.allCases.map { key in
            let holes = key.parts.filter(\.isHole).map(\.text)
            let pieces = ["P"] + key.parts.map { $0.isHole ? $0.text : "'\($0.text)'" }
            let body = pieces.joined(separator: " .. ")
            return "K.\(key) = function(\(holes.joined(separator: ", "))) return \(body) end"
        }
        return (["local P", "local K = {}"] + lines).joined(separator: "\n")
    }()
}

extension RedisKey {
    /// The pattern cut at its `<…>`: fixed texts and names of holes.
    var parts: [(text: String, isHole: Bool)] {
        rawValue.split(separator: "<").enumerated().flatMap { index, piece in
            let halves = piece.split(separator: ">", omittingEmptySubsequences: false)
            guard index > 0 || rawValue.hasPrefix("<"), halves.count == 2 else {
                return [(String(piece), false)]
            }
            let hole = (String(halves[0]), true)
            return halves[1].isEmpty ? [hole] : [hole, (String(halves[1]), false)]
        }
    }
}
