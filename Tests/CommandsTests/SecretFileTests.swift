import Foundation
import Testing

@testable import Commands

@Suite struct SecretFileTests {
    @Test("A made secret is random, its owner's alone, and leaves no draft beside it")
    func make() throws {
        let place = try TestPlace()
        let first = try SecretFile.make(place.path + "/state/one")
        let second = try SecretFile.make(place.path + "/state/two")
        #expect(first != second && first.utf8.count == 64)
        #expect(first.wholeMatch(of: /[0-9a-f]{64}/) != nil)
        let attributes = try FileManager.default.attributesOfItem(atPath: place.path + "/state/one")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let folder = try FileManager.default.attributesOfItem(atPath: place.path + "/state")
        #expect(folder[.posixPermissions] as? Int == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path + "/state")
        #expect(names.sorted() == ["one", "two"])
        #expect(try SecretFile.read(place.path + "/state/one") == first)
    }

    @Test("What is there already stands")
    func existing() throws {
        let place = try TestPlace()
        let path = try place.write("given\n", to: "secret")
        #expect(try SecretFile.make(path) == "given")
    }

    @Test("Whoever makes it at the same moment gets the same secret, never half of one")
    func race() async throws {
        let place = try TestPlace()
        for round in 0..<20 {
            let path = "\(place.path)/\(round)"
            let secrets = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<16 { group.addTask { try SecretFile.make(path) } }
                var all: Set<String> = []
                for try await secret in group { all.insert(secret) }
                return all
            }
            #expect(secrets.count == 1)
        }
    }

    @Test("A file that is missing, empty or no secret says which file it is")
    func unreadable() throws {
        let place = try TestPlace()
        try place.write(" \n", to: "empty")
        try place.write(String(repeating: "x", count: 5_000), to: "huge")
        for name in ["none", "empty", "huge"] {
            let path = "\(place.path)/\(name)"
            let error = #expect(throws: SettingError.self) { try SecretFile.read(path) }
            #expect(error?.description.contains(path) == true)
        }
        #expect(throws: (any Error).self) { try SecretFile.make(place.path + "/empty/below") }
    }
}
