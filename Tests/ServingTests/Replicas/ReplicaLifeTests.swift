import Testing

@testable import Serving

@Suite struct ReplicaLifeTests {
    private static let rules = HealthRules()

    private static func readyLife() -> ReplicaLife {
        var life = ReplicaLife(startingAt: .zero, rules: rules)
        life.apply(.loaded, at: .seconds(1))
        return life
    }

    @Test("A replica that does not get ready in time is ended")
    func start() {
        var life = ReplicaLife(startingAt: .zero, rules: Self.rules)
        #expect(life.tick(at: .seconds(119)) == .nothing)
        #expect(life.tick(at: .seconds(120)) == .kill(cause: "not ready within 120.0 seconds"))
    }

    @Test("A ready one is asked every ten seconds; an answer is good for ten more")
    func health() {
        var life = Self.readyLife()
        #expect(life.tick(at: .seconds(9)) == .nothing)
        #expect(life.tick(at: .seconds(11)) == .ask)
        #expect(life.tick(at: .seconds(12)) == .nothing)
        life.apply(.answered, at: .seconds(13))
        #expect(life.tick(at: .seconds(22)) == .nothing)
        #expect(life.tick(at: .seconds(23)) == .ask)
    }

    @Test("Three unanswered questions in a row end it; an answer between them forgives")
    func unanswered() {
        var life = Self.readyLife()
        #expect(life.tick(at: .seconds(11)) == .ask)
        #expect(life.tick(at: .seconds(40)) == .nothing)
        #expect(life.tick(at: .seconds(41)) == .ask)
        #expect(life.failuresInRow == 1)
        life.apply(.answered, at: .seconds(42))
        #expect(life.failuresInRow == 0)
        #expect(life.tick(at: .seconds(52)) == .ask)
        #expect(life.tick(at: .seconds(82)) == .ask)
        #expect(life.tick(at: .seconds(112)) == .ask)
        #expect(
            life.tick(at: .seconds(142))
                == .kill(cause: "3 health checks in a row unanswered"))
    }

    @Test("A draining one does not come back, and is ended when it stays too long")
    func drain() {
        var life = Self.readyLife()
        life.apply(.drain, at: .seconds(5))
        life.apply(.loaded, at: .seconds(6))
        life.apply(.outdated, at: .seconds(6))
        #expect(life.state == .draining)
        #expect(life.tick(at: .seconds(24)) == .nothing)
        guard case .kill = life.tick(at: .seconds(25)) else {
            return #expect(Bool(false), "still there")
        }
    }

    @Test("A dead one stays dead, with the first cause")
    func dead() {
        var life = Self.readyLife()
        life.apply(.lost(cause: "signal 9"), at: .seconds(2))
        life.apply(.lost(cause: "later"), at: .seconds(3))
        life.apply(.loaded, at: .seconds(3))
        #expect(life.state == .dead(cause: "signal 9"))
        #expect(life.tick(at: .seconds(900)) == .nothing)
    }

    @Test("One that loaded what is no longer served starts over")
    func outdated() {
        var life = Self.readyLife()
        life.apply(.outdated, at: .seconds(5))
        #expect(life.state == .starting)
        life.apply(.loaded, at: .seconds(6))
        #expect(life.state == .ready)
    }

    @Test("A replacement comes at once, then later and later while replicas die young")
    func pace() {
        var pace = ReplacementPace()
        let delays = (0..<12).map { _ in pace.delay(afterLifeOf: .seconds(1)) }
        #expect(delays[0] == .zero)
        #expect(delays[1] == .milliseconds(100) && delays[2] == .milliseconds(200))
        #expect(delays[11] == .seconds(10))
        #expect(pace.delay(afterLifeOf: .seconds(60)) == .zero)
        #expect(pace.delay(afterLifeOf: .seconds(1)) == .milliseconds(100))
    }
}
