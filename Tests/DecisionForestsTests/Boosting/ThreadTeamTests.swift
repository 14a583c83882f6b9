import Synchronization
import Testing

@testable import DecisionForests

@Suite("A team runs each piece once")
struct ThreadTeamTests {
    @Test("Thousands of short loops, one after another", arguments: [1, 2, 5])
    func loops(size: Int) {
        let team = ThreadTeam(size: size)
        defer { team.end() }
        for loop in 0..<3000 {
            let count = loop % 17
            let sum = Atomic<Int>(0)
            let runs = Atomic<Int>(0)
            team.forEach(count) { index, worker in
                sum.add(index, ordering: .relaxed)
                runs.add(worker < size ? 1 : 1000, ordering: .relaxed)
            }
            #expect(sum.load(ordering: .relaxed) == count * (count - 1) / 2)
            #expect(runs.load(ordering: .relaxed) == count)
        }
    }
}
