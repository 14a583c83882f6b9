import Jobs
import Redis
import TestSupport
import Testing

@testable import Simulation

/// The calls of histories on a real Redis: each answer of the scripts is the pure lives' answer.
@Suite(.serialized) struct LockstepTests {
    static let historyCount = 60

    @Test("Redis answers every call of a history as the pure lives do")
    func redisAgrees() async throws {
        let server = try await RedisServer.shared()
        let client = RedisClient(try RedisEndpoint(url: server.socketURL))
        defer { client.close() }
        var callCount = 0
        for seed in 1...UInt64(LockstepTests.historyCount) {
            let history = await Simulation.run(seed: seed)
            if history.hasForgotten { continue }  // its log begins in the middle
            let redis = RedisInLockstep(client: client, namespace: "lockstep-\(seed)")
            for (time, call, expected) in history.log {
                let actual = try await redis.answer(call, at: time)
                callCount += 1
                guard actual.comparable == expected.comparable else {
                    Issue.record(
                        """
                        seed \(seed), \(time - HistoryPlan.start) ms: \(call)
                        the lives: \(expected)
                        Redis:     \(actual)
                        """)
                    return
                }
            }
        }
        #expect(callCount > 2_000)
    }
}

/// A Redis store whose clock a history sets.
private struct RedisInLockstep {
    let client: RedisClient
    let clockKey: String
    let store: RedisJobStore

    init(client: RedisClient, namespace: String) {
        self.client = client
        clockKey = namespace + ":test-clock"
        // The lives know no outage, so nothing here is taken for one.
        var timing = StoreTiming()
        timing.pulseGapInMilliseconds = 1_000_000_000
        let clock = #"""
            now = tonumber(redis.call('GET', P .. 'test-clock'))
            micros = now * 1000
            """#
        store = RedisJobStore(
            client: client, namespace: namespace,
            scripts: RedisScripts(timing: timing, clock: clock))
    }

    func answer(_ call: StoreCall, at time: Int64) async throws -> StoreReply {
        _ = try await client.send(RedisCommand("SET", clockKey, String(time)))
        return await store.answer(call)
    }
}

extension StoreReply {
    /// The same for two answers between which no caller can tell a difference: the words of a
    /// refusal are for people, lost and cancelled leases are sets, and a wish to end an attempt is
    /// of no use after it.
    fileprivate var comparable: StoreReply {
        switch self {
        case .refused(.full): .refused(.full(""))
        case .refused(.corrupt): self
        case .beaten(let reply):
            .beaten(
                HeartbeatReply(
                    lost: reply.lost.sorted { $0.token < $1.token },
                    cancelled: reply.cancelled.sorted { $0.token < $1.token }))
        case .tasks(let records): .tasks(records.map { $0?.comparable })
        default: self
        }
    }
}

extension TaskRecord {
    fileprivate var comparable: TaskRecord {
        var record = self
        if record.state.isTerminal { record.cancelRequestedBy = nil }
        return record
    }
}
