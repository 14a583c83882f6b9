import Foundation
import Processes
import Testing

@testable import Commands

@Suite struct ShellWordsTests {
    /// What a real shell makes of the words.
    private func shell(_ words: [String]) async throws -> [String] {
        let place = try TestPlace()
        let status = try await place.shell("printf '%s\\0' \(ShellWords.join(words)) > words")
        try #require(status.isSuccess)
        let data = place.read("words") ?? Data()
        return data.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    @Test("A shell reads every word back as it was")
    func words() async throws {
        let words = [
            "plain", "", "two words", "it's", "''", "'", "\"double\"", "$HOME", "`id`", "$(id)",
            "a;b", "a&b", "a|b", "a>b", "a<b", "(a)", "{a,b}", "*", "?", "[a-z]", "~", "~root",
            "!x",
            "#comment", "back\\slash", "line\nfeed", "tab\t", "--flag=value", "a=b", "größe", "日本",
            "-", "--", "%", "@", "+", ",", ":", "/", ".", "\u{1B}[31m", "\\n", "'\\''",
        ]
        #expect(try await shell(words) == words)
    }

    @Test("So it is with words of chance")
    func chance() async throws {
        var chance = SeededChance(3)
        let words = (0..<200).map { _ in
            String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0...12, using: &chance)).map { _ in
                        Unicode.Scalar(UInt8.random(in: 1...127, using: &chance))
                    }))
        }
        #expect(try await shell(words) == words)
    }

    @Test("What needs no quotes gets none")
    func readable() {
        #expect(ShellWords.join(["python", "train.py", "--lr=0.1"]) == "python train.py --lr=0.1")
        #expect(ShellWords.join(["echo", "a b"]) == "echo 'a b'")
        #expect(ShellWords.join([]) == "")
    }
}
