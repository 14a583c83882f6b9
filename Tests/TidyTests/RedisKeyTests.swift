import Testing

@Suite("What is kept in Redis is written down")
struct RedisKeyTests {
    @Test("docs/REDIS.md lists every key that the code makes, and no other")
    func keysAreDocumented() throws {
        let code = try Repository.text(of: "Sources/Jobs/RedisKeys.swift")
        let made = Set(
            code.matches(of: /^\s+case \w+ = "([^"]+)"/.anchorsMatchLineEndings())
                .map { String($0.1) })
        #expect(made.count > 10)

        // The first column of the tables: | `job:<job>` | hash | …
        let document = try Document(path: "docs/REDIS.md")
        let listed = Set(
            document.tableHeads.map {
                String($0.hasPrefix("manta:") ? $0.dropFirst("manta:".count) : $0[...])
            })
        #expect(made.subtracting(listed).isEmpty, "not in docs/REDIS.md")
        #expect(listed.subtracting(made).isEmpty, "in docs/REDIS.md only")
    }

    @Test("Keys are made in one file")
    func keysAreMadeInOneFile() throws {
        for path in Repository.files(under: "Sources", withExtension: "swift")
        where path != "Sources/Jobs/RedisKeys.swift" {
            let text = try Repository.text(of: path)
            for literal in text.matches(of: /"(manta:[a-z-]+[:"])/) {
                Issue.record("\(path): \(literal.0)")
            }
        }
    }
}
