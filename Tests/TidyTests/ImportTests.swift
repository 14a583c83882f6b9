import Testing

/// The compiler lets a file import whatever some other room pulled in; the table says what it may.
@Suite("Imports follow the room table of Package.swift")
struct ImportTests {
    /// Part of the toolchain, free for all.
    static let standard: Set<String> = [
        "Swift", "Synchronization", "Foundation", "FoundationEssentials", "Glibc", "Dispatch",
        "RegexBuilder", "Musl", "Darwin",
    ]
    /// Modules whose types a product's own interface shows, so that its users must import them.
    static let companions: [String: Set<String>] = ["Hummingbird": ["HTTPTypes"]]

    let table: RoomTable

    init() throws { table = try RoomTable() }

    @Test("The table lists every folder of Sources")
    func tableIsComplete() {
        let folders = Set(Repository.entries(of: "Sources"))
        let listed = Set(table.rooms.map(\.name)).union(table.cModules).union(["manta-main"])
        #expect(folders == listed)
    }

    @Test("A file imports only what its room's row allows")
    func importsAreAllowed() throws {
        for room in table.rooms {
            let allowed = room.products.reduce(
                into: ImportTests.standard.union(room.uses).union(room.products)
            ) { $0.formUnion(ImportTests.companions[$1] ?? []) }
            for file in try files(of: room.name) {
                for (module, line) in file.imports where !allowed.contains(module) {
                    Issue.record("\(file.path):\(line): \(room.name) may not import \(module)")
                }
            }
        }
    }

    @Test("Every row lists only what its room imports")
    func rowsAreUsed() throws {
        // A room that is another one's sources by a link is read there.
        for room in table.rooms where !Repository.isLink("Sources/\(room.name)") {
            let imported = Set(try files(of: room.name).flatMap { $0.imports.map(\.module) })
            let dead = room.uses.union(room.products).subtracting(imported)
            #expect(dead.isEmpty, "\(room.name) never imports \(dead.sorted())")
        }
    }

    @Test("A C module is imported by exactly one room")
    func cModulesHaveOneImporter() throws {
        var importers: [String: Set<String>] = [:]
        for room in table.rooms {
            for file in try files(of: room.name) {
                for (module, _) in file.imports where table.cModules.contains(module) {
                    importers[module, default: []].insert(room.name)
                }
            }
        }
        for module in table.cModules {
            #expect(importers[module]?.count == 1, "\(module): \(importers[module] ?? [])")
        }
    }

    @Test("The executable holds nothing but the ways into Commands and the guard")
    func mainImportsCommandsOnly() throws {
        for file in try files(of: "manta-main") {
            let known: Set = ["Commands", "Processes"]
            #expect(Set(file.imports.map(\.module)).subtracting(known).isEmpty)
        }
    }

    private func files(of room: String) throws -> [SwiftText] {
        try Repository.files(under: "Sources/\(room)", withExtension: "swift").map {
            try SwiftText(path: $0)
        }
    }
}
