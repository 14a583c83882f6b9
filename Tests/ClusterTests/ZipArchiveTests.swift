import Foundation
import TestSupport
import Testing

@testable import Cluster

@Suite struct ZipArchiveTests {
    @Test("The checksum is the one everybody knows")
    func checksum() {
        #expect(CRC32.of(Data("123456789".utf8)) == 0xCBF4_3926)
        #expect(CRC32.of(Data()) == 0)
        #expect(CRC32.of(Data("xx123456789".utf8).dropFirst(2)) == 0xCBF4_3926)
    }

    @Test("A folder comes back as it was: content, folders, executable bits")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        try folder.write("plain", to: "in/a.txt")
        try folder.write("#!/bin/sh\n", to: "in/run.sh", mode: 0o755)
        try folder.write("", to: "in/deep/er/empty")
        try folder.write("umlaut", to: "in/größe 1.csv")
        let bytes = try ZipArchive.pack(folder.path + "/in")
        try ZipArchive.unpack(Data(bytes), to: folder.path + "/out")
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path + "/out")
            .sorted()
        #expect(names == ["a.txt", "deep", "deep/er", "deep/er/empty", "größe 1.csv", "run.sh"])
        for name in ["a.txt", "run.sh", "deep/er/empty", "größe 1.csv"] {
            #expect(
                FileManager.default.contents(atPath: "\(folder.path)/out/\(name)")
                    == FileManager.default.contents(atPath: "\(folder.path)/in/\(name)"))
        }
        #expect(access(folder.path + "/out/run.sh", X_OK) == 0)
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/out/a.txt")
        #expect(mode[.posixPermissions] as? Int == 0o600)
    }

    @Test("The same files give the same bytes, whatever their times")
    func determinism() throws {
        let folder = try TemporaryFolder()
        for name in ["one", "two"] {
            for file in ["b", "a", "c/d"] { try folder.write(file, to: "\(name)/\(file)") }
        }
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1e9)],
            ofItemAtPath: folder.path + "/two/a")
        #expect(
            try ZipArchive.pack(folder.path + "/one") == ZipArchive.pack(folder.path + "/two"))
    }

    @Test("Links to files are sent as files; links to folders, pipes and what is ignored are not")
    func links() throws {
        let folder = try TemporaryFolder()
        try folder.write("target", to: "outside/file")
        try folder.write("kept", to: "in/kept")
        try folder.write("left", to: "in/left/out")
        let files = FileManager.default
        try files.createSymbolicLink(
            atPath: folder.path + "/in/linked", withDestinationPath: "../outside/file")
        try files.createSymbolicLink(
            atPath: folder.path + "/in/folder", withDestinationPath: "../outside")
        try files.createSymbolicLink(atPath: folder.path + "/in/loop", withDestinationPath: "loop")
        #expect(mkfifo(folder.path + "/in/pipe", 0o600) == 0)
        var asked: [String: Bool] = [:]
        let bytes = try ZipArchive.pack(folder.path + "/in") { path, isFolder in
            asked[path] = isFolder
            return path == "left"
        }
        try ZipArchive.unpack(Data(bytes), to: folder.path + "/out")
        #expect(
            try files.contentsOfDirectory(atPath: folder.path + "/out").sorted() == [
                "kept", "linked",
            ])
        #expect(files.contents(atPath: folder.path + "/out/linked") == Data("target".utf8))
        #expect(asked["left"] == true && asked["kept"] == false && asked["left/out"] == nil)
    }

    @Test("More than may be sent names the largest files")
    func tooLarge() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "in/huge")
        try folder.write("small", to: "in/small")
        #expect(truncate(folder.path + "/in/huge", 600 << 20) == 0)
        let error = #expect(throws: ZipError.self) { try ZipArchive.pack(folder.path + "/in") }
        let text = try #require(error).description
        #expect(text.contains("2 files and 600 MiB") && text.contains("huge (600 MiB)"))
        #expect(text.contains(".mantaignore"))
    }

    @Test("Too many files are refused, naming the ten largest first")
    func tooMany() throws {
        let folder = try TemporaryFolder()
        for number in 0..<11 {
            try folder.write(String(repeating: "x", count: 2_048 * number), to: "in/\(number)")
        }
        let error = #expect(throws: ZipError.self) {
            try ZipArchive.pack(folder.path + "/in", entriesMax: 10)
        }
        guard case .tooLarge(11, _, let largest)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(largest == (1...10).reversed().map { "\($0) (\(2 * $0) KiB)" })
        #expect(try !ZipArchive.pack(folder.path + "/in", entriesMax: 11).isEmpty)
    }

    @Test("A name the other side would refuse is refused before it is sent")
    func names() throws {
        let folder = try TemporaryFolder()
        try folder.write("", to: "in/back\\slash")
        let error = #expect(throws: ZipError.self) { try ZipArchive.pack(folder.path + "/in") }
        #expect(try #require(error).description.contains("back\\slash"))
    }

    @Test("Python reads our files, and we read those it stores or deflates")
    func python() async throws {
        let folder = try TemporaryFolder()
        try folder.write("from swift", to: "in/a/größe.txt")
        try folder.write("#!/bin/sh\n", to: "in/run", mode: 0o755)
        try Data(ZipArchive.pack(folder.path + "/in"))
            .write(to: URL(fileURLWithPath: folder.path + "/swift.zip"))
        let output = try await Python.run(
            """
            import os, sys, zipfile
            os.chdir(sys.argv[1])
            with zipfile.ZipFile("swift.zip") as z:
                assert z.testzip() is None
                print(sorted(z.namelist()), z.read("a/größe.txt").decode())
                print(oct(z.getinfo("run").external_attr >> 16))
            with zipfile.ZipFile("python.zip", "w") as z:
                z.writestr("pkg/__init__.py", "x = 1")
                z.write("in/run", "bin/run")
                z.mkdir("empty")
                z.comment = b"a comment after the end"
            with zipfile.ZipFile("deflated.zip", "w", zipfile.ZIP_DEFLATED) as z:
                z.writestr("a", "a" * 1000)
                z.writestr("b/c", "".join(str(i) for i in range(5000)))
            with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED) as z:
                z.writestr("zeros", bytes(32 << 20))
            with zipfile.ZipFile("other.zip", "w", zipfile.ZIP_BZIP2) as z:
                z.writestr("a", "a" * 1000)
            """, arguments: [folder.path])
        #expect(output.contains("['a/größe.txt', 'run'] from swift"))
        #expect(output.contains("0o100755"))
        try ZipArchive.unpack(fileAt: folder.path + "/python.zip", to: folder.path + "/out")
        let files = FileManager.default
        #expect(files.contents(atPath: folder.path + "/out/pkg/__init__.py") == Data("x = 1".utf8))
        #expect(access(folder.path + "/out/bin/run", X_OK) == 0)
        var isFolder: ObjCBool = false
        #expect(files.fileExists(atPath: folder.path + "/out/empty", isDirectory: &isFolder))
        #expect(isFolder.boolValue)
        try ZipArchive.unpack(fileAt: folder.path + "/deflated.zip", to: folder.path + "/loose")
        #expect(
            files.contents(atPath: folder.path + "/loose/a")
                == Data(String(repeating: "a", count: 1_000).utf8))
        #expect(
            files.contents(atPath: folder.path + "/loose/b/c")
                == Data((0..<5_000).map(\.description).joined().utf8))
        for (name, words) in [("bomb", "more than 200 times"), ("other", "another method")] {
            let error = #expect(throws: ZipError.self) {
                try ZipArchive.check(fileAt: "\(folder.path)/\(name).zip")
            }
            #expect(try #require(error).description.contains(words))
        }
    }
}
