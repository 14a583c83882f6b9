import Testing

/// A map that names what is gone misleads more than no map.
@Suite("Documents name only what the code still has")
struct SymbolTests {
    /// Made once: it reads the whole repository.
    private static let shared = Result { try SymbolIndex() }
    let index: SymbolIndex

    init() throws { index = try SymbolTests.shared.get() }

    @Test("Every symbol and file named in ARCHITECTURE.md exists in the code")
    func architectureIsTrue() throws {
        let document = try Document(path: "ARCHITECTURE.md")
        #expect(document.spans.count > 40, "ARCHITECTURE.md names the code it describes")
        for span in document.spans where !exists(span.text, mustBeDeclared: true) {
            Issue.record("ARCHITECTURE.md:\(span.line): `\(span.text)` is not in the code")
        }
    }

    @Test(
        "No document names a type that the code has lost",
        arguments: Repository.documents.filter { !$0.hasSuffix("CHANGELOG.md") })
    func documentsAreTrue(path: String) throws {
        for span in try Document(path: path).spans {
            // Words with two capitals after a small letter are types here; the rest is prose,
            // a command, or somebody else's name.
            guard span.text.contains(/^[A-Z]\w*[a-z]\w*[A-Z]\w*(\.\w+)?$/) else { continue }
            if !exists(span.text, mustBeDeclared: false) {
                Issue.record("\(path):\(span.line): `\(span.text)` is not in the code")
            }
        }
    }

    private func exists(_ span: String, mustBeDeclared: Bool) -> Bool {
        let bare = span.hasSuffix("/") ? String(span.dropLast()) : span
        if index.paths.contains(bare) || index.paths.contains("Sources/" + bare)
            || index.fileNames.contains(bare)
        {
            return true
        }
        // `JobStore.claim(_:)` → JobStore, claim
        if let symbol = span.wholeMatch(of: /([A-Za-z_]\w*(?:\.\w+)*)(?:\([\w:, ]*\))?/) {
            let parts = symbol.1.split(separator: ".").map(String.init)
            if parts.allSatisfy(index.declared.contains) { return true }
            // Settings and other constants: upper case, as the code spells them.
            let isConstant = span.contains(/^[A-Z][A-Z0-9_]+$/)
            if isConstant || !mustBeDeclared || !span.contains(/[A-Z(]/) {
                return parts.allSatisfy(index.words.contains)
            }
            return false
        }
        // Commands, paths of the API, key patterns: as the code spells their parts.
        return span.split(separator: " ").allSatisfy { part in
            index.text.contains(part)
                || part.matches(of: /\w+/).allSatisfy { index.words.contains(String($0.0)) }
        }
    }
}
