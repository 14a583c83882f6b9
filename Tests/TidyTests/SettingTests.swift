import Testing

@Suite("Settings named outside the code are known inside it")
struct SettingTests {
    /// What reads a setting: the services, jobs, the scripts, the package, the tests.
    static let readers = ["Sources/", "script/", "Tests/", "Benchmarks/", "Package.swift"]
    static let texts =
        ["k8s", "docs"].flatMap { Repository.files(under: $0) } + [
            "README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "Dockerfile", "skaffold.yaml",
        ]

    @Test("An environment variable of ours in a document or manifest is read by something")
    func variablesAreRead() throws {
        var known: Set<String> = []
        for path in Repository.files(under: ".")
        where SettingTests.readers.contains(where: path.hasPrefix) {
            if path.hasPrefix("Tests/TidyTests/") { continue }
            guard let text = try? Repository.text(of: path) else { continue }
            known.formUnion(text.matches(of: /MANTA_[A-Z_]+[A-Z]/).map { String($0.0) })
        }
        for path in SettingTests.texts {
            let text = try Repository.text(of: path)
            for found in text.matches(of: /MANTA_[A-Z_]+[A-Z]/) {
                let name = String(found.0)
                let plain = name.hasSuffix("_FILE") ? String(name.dropLast(5)) : name
                if !known.contains(name) && !known.contains(plain) {
                    Issue.record("\(path) names \(name), which nothing reads")
                }
            }
        }
    }

    @Test("Every manifest of k8s is listed in its kustomization")
    func manifestsAreListed() throws {
        let listed = try Repository.text(of: "k8s/kustomization.yaml")
        for path in Repository.files(under: "k8s") where !path.hasSuffix("kustomization.yaml") {
            let name = path.dropFirst("k8s/".count)
            #expect(listed.contains(name), "\(path) is in no kustomization")
        }
    }
}
