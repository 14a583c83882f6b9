import Testing

@testable import Serving

/// Which models stay in memory, decided without any model.
@Suite struct ModelRosterTests {
    static func version(_ name: String, _ number: Int = 1) -> ServableVersion {
        ServableVersion(name: name, version: String(number))
    }

    /// Models of the given sizes, added in this order, each of them current in its turn.
    static func roster(
        _ sizes: KeyValuePairs<String, Int>, bytes: Int = 100, count: Int = 10
    ) -> ModelRoster {
        var roster = ModelRoster(sizeInBytesMax: bytes, countMax: count)
        for (name, size) in sizes { roster.add(version(name), sizeInBytes: size, asCurrent: true) }
        return roster
    }

    @Test("The least recently used models go, and only as many as needed")
    func leastRecentlyUsed() throws {
        var roster = Self.roster(["a": 30, "b": 30, "c": 30])
        #expect(
            try roster.evictions(for: Self.version("d"), sizeInBytes: 10, asCurrent: true).isEmpty)
        #expect(
            try roster.evictions(for: Self.version("d"), sizeInBytes: 20, asCurrent: true) == ["a"])
        roster.use("a")
        #expect(
            try roster.evictions(for: Self.version("d"), sizeInBytes: 20, asCurrent: true) == ["b"])
        #expect(
            try roster.evictions(for: Self.version("d"), sizeInBytes: 50, asCurrent: true)
                == ["b", "c"])
        #expect(
            try roster.evictions(for: Self.version("d"), sizeInBytes: 100, asCurrent: true)
                == ["b", "c", "a"])
    }

    @Test("A new version of a model needs no room beside its old one")
    func replacement() throws {
        let roster = Self.roster(["a": 90])
        let next = Self.version("a", 2)
        #expect(try roster.evictions(for: next, sizeInBytes: 100, asCurrent: true).isEmpty)
    }

    @Test("Pinned models stay, and so does the current one while another is only added")
    func pinned() throws {
        var roster = Self.roster(["a": 40, "b": 40])
        let pinned = [roster.pin("a", true), roster.pin("z", true)]
        #expect(pinned == [true, false])
        let next = Self.version("c")
        #expect(try roster.evictions(for: next, sizeInBytes: 30, asCurrent: true) == ["b"])
        #expect(throws: GatewayError.self) {
            try roster.evictions(for: next, sizeInBytes: 30, asCurrent: false)
        }
        _ = roster.pin("a", false)
        #expect(try roster.evictions(for: next, sizeInBytes: 30, asCurrent: false) == ["a"])
    }

    @Test("A pin outlives a new version of its model")
    func pinStays() {
        var roster = Self.roster(["a": 10])
        _ = roster.pin("a", true)
        roster.add(Self.version("a", 2), sizeInBytes: 20, asCurrent: false)
        #expect(roster.entries["a"]?.isPinned == true && roster.sizeInBytes == 20)
    }

    @Test("A model beyond the budget is refused with what to do, and nothing goes")
    func tooLarge() throws {
        let roster = Self.roster(["a": 30])
        #expect {
            _ = try roster.evictions(for: Self.version("d"), sizeInBytes: 101, asCurrent: true)
        } throws: { error in
            "\(error)".contains("101 bytes") && "\(error)".contains("--model-memory")
        }
        #expect(roster.entries.count == 1)
    }

    @Test("The number of models is bounded too")
    func count() throws {
        let roster = Self.roster(["a": 1, "b": 1], count: 2)
        #expect(
            try roster.evictions(for: Self.version("c"), sizeInBytes: 1, asCurrent: true) == ["a"])
    }

    @Test("The model loaded last is current; without it there is none until the next load")
    func current() {
        var roster = Self.roster(["a": 1, "b": 1])
        #expect(roster.current == "b")
        roster.add(Self.version("c"), sizeInBytes: 1, asCurrent: false)
        #expect(roster.current == "b")
        roster.remove("b")
        #expect(roster.current == nil)
        roster.add(Self.version("a", 2), sizeInBytes: 1, asCurrent: true)
        #expect(roster.current == "a")
    }

    @Test("Sizes near the limit of integers are refused, not added up")
    func overflow() {
        let roster = Self.roster(["a": 30])
        #expect(throws: GatewayError.self) {
            try roster.evictions(for: Self.version("b"), sizeInBytes: .max, asCurrent: true)
        }
    }
}
