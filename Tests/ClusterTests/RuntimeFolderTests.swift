import Foundation
import Testing

@testable import Cluster

@Suite struct RuntimeFolderTests {
    @Test("The folder is its owner's alone and goes with the worker")
    func life() throws {
        let folder = try TemporaryFolder()
        let runtime = try RuntimeFolder(folder.path + "/manta/1")
        let mode = try FileManager.default.attributesOfItem(atPath: runtime.path)
        #expect(mode[.posixPermissions] as? Int == 0o700)
        runtime.remove()
        #expect(!FileManager.default.fileExists(atPath: runtime.path))
    }

    @Test("Two workers cannot share one")
    func taken() throws {
        let folder = try TemporaryFolder()
        let first = try RuntimeFolder(folder.path + "/1")
        let error = #expect(throws: RuntimeFolderError.self) { try RuntimeFolder(first.path) }
        #expect(try #require(error).description.contains("another worker"))
        withExtendedLifetime(first) {}
    }

    @Test("What a killed worker left is removed; what a living one uses, or is no worker's, stays")
    func abandoned() throws {
        let folder = try TemporaryFolder()
        let living = try RuntimeFolder(folder.path + "/living")
        try folder.write("", to: "dead/lock")
        try folder.write("large", to: "dead/jobs/j/work/data")
        try folder.write("mine", to: "stranger/file")
        let new = try RuntimeFolder(folder.path + "/new")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["living", "new", "stranger"])
        withExtendedLifetime((living, new)) {}
    }

    @Test("A folder that a stranger could exchange is refused")
    func strangers() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "real/file")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link", withDestinationPath: "real")
        #expect(throws: RuntimeFolderError.self) { try RuntimeFolder(folder.path + "/link") }
        try folder.write("", to: "file")
        #expect(throws: (any Error).self) { try RuntimeFolder(folder.path + "/file") }
        // Giving a folder away takes root's rights; without them the system refuses, as it should.
        if chown(folder.path + "/real", 12_345, 12_345) == 0 {
            let error = #expect(throws: RuntimeFolderError.self) {
                try RuntimeFolder(folder.path + "/real/1")
            }
            #expect(try #require(error).description.contains("another user"))
        } else {
            #expect(errno == EPERM)
        }
    }
}
