import Foundation
import Testing

@Suite("Documents point at what exists")
struct LinkTests {
    static let documents = Repository.documents

    @Test("A relative link resolves, its heading too", arguments: documents)
    func linksResolve(path: String) throws {
        let document = try Document(path: path)
        for link in document.links where !link.text.contains("://") {
            if link.text.hasPrefix("mailto:") { continue }
            let parts = link.text.split(
                separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let target = parts[0].isEmpty ? path : resolve(String(parts[0]), from: path)
            guard Repository.exists(target) else {
                Issue.record("\(path):\(link.line): \(link.text) does not exist")
                continue
            }
            if parts.count == 2, target.hasSuffix(".md") {
                let anchors = try Document(path: target).anchors
                #expect(
                    anchors.contains(String(parts[1])), "\(path):\(link.line): \(link.text)")
            }
        }
    }

    private func resolve(_ target: String, from document: String) -> String {
        var folders = document.split(separator: "/").dropLast().map(String.init)
        for part in target.split(separator: "/") where part != "." {
            if part == ".." { _ = folders.popLast() } else { folders.append(String(part)) }
        }
        return folders.joined(separator: "/")
    }

    /// A path on the machine of whoever wrote the line means nothing on another one.
    @Test("No text names a place on its writer's machine")
    func noPrivatePaths() throws {
        let home = "/(Users|home)/[A-Za-z]|(^|[^A-Za-z0-9_.])/root/"
        let pattern = try Regex(home)
        let kinds: Set<String> = [
            "swift", "md", "sh", "py", "json", "yaml", "yml", "lua", "txt", "csv", "",
        ]
        let texts = ["."].flatMap { Repository.files(under: $0) }.filter {
            kinds.contains(($0 as NSString).pathExtension) && !$0.hasSuffix("LinkTests.swift")
        }
        #expect(!texts.isEmpty)
        for path in texts {
            guard let text = try? Repository.text(of: path) else { continue }  // a binary file
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
                .enumerated() where line.contains(pattern)
            {
                Issue.record("\(path):\(index + 1): \(line.prefix(120))")
            }
        }
    }
}
