import Foundation
import Testing

@testable import Jobs

/// Removes each guard line of the Lua scripts in turn: at least one contract case must fail for
/// each, or the line protects nothing that the contract promises.
@Suite(.serialized) struct MutationTests {
    @Test("Every guard line of the scripts is held by the contract")
    func guardsAreHeld() async throws {
        let guards = RedisScripts().guards
        #expect(guards.count > 30)
        var survivors: [String] = []
        for guardName in guards {
            let killer = try await MutationTests.killer(of: guardName)
            if let killer {
                MutationTests.report("\(guardName)\tkilled\t\(killer)")
            } else {
                MutationTests.report("\(guardName)\tSURVIVED")
                survivors.append(guardName)
            }
        }
        #expect(survivors == [], "nothing notices when these lines are gone")
    }

    @Test("Without a mutation the same run finds nothing")
    func controlRun() async throws {
        #expect(try await MutationTests.killer(of: "no such guard") == nil)
    }

    /// The first case that fails without the guard line; nil when all pass.
    private static func killer(of guardName: String) async throws -> String? {
        let cases = ContractCase.all + ContractCase.redisOnly
        return await withTaskGroup(of: String?.self) { group in
            var next = cases.makeIterator()
            func add() {
                guard let contractCase = next.next() else { return }
                group.addTask {
                    do {
                        try await contractCase.run(.redis, without: guardName)
                        return nil
                    } catch {
                        return contractCase.name
                    }
                }
            }
            for _ in 0..<12 { add() }
            for await failed in group {
                if let failed {
                    group.cancelAll()
                    return failed
                }
                add()
            }
            return nil
        }
    }

    /// `script/mutate-lua` shows these lines.
    private static func report(_ line: String) {
        guard let path = ProcessInfo.processInfo.environment["MANTA_MUTATION_REPORT"],
            let file = FileHandle(forWritingAtPath: path)
        else { return }
        file.seekToEndOfFile()
        file.write(Data((line + "\n").utf8))
        file.closeFile()
    }
}
