import Foundation
import Testing

@testable import Commands

@Suite("Where a model will stand") struct ModelPlaceTests {
    let place: TestPlace

    init() throws { place = try TestPlace() }

    private func age(_ path: String) throws {
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -3_600)], ofItemAtPath: path)
    }

    @Test("What a killed run left is cleared away; what is young, claimed or another's stays")
    func abandoned() throws {
        let model = place.path + "/my.model"
        let running = try ModelPlace(model, force: false)
        let gone = [".my.model.12-34.partial", ".my.model.4194304-65535.partial"]
        let kept = [
            ".my.model.12-34.partial.old", ".my.model.x.12-34.partial", ".other.12-34.partial",
            ".my.model.partial", ".my.model.56-78.partial",
        ]
        for name in gone + kept {
            try place.write("half", to: name + "/MLmodel")
            if !name.contains("56-78") { try age(place.path + "/" + name) }
        }
        try place.write("a file", to: ".my.model.9-9.partial")
        try age(place.path + "/.my.model.9-9.partial")
        try age(running.temporary)
        let next = try ModelPlace(model, force: false)
        let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
        let own = [running.temporary, next.temporary].map { ($0 as NSString).lastPathComponent }
        #expect(Set(names) == Set(kept + own + [".my.model.9-9.partial"]))
        next.discard()
        try running.moveIn()
        #expect(FileManager.default.fileExists(atPath: model))
    }

    @Test("A claim ends with its holder, and the folder can be cleared away then")
    func ended() throws {
        let model = place.path + "/m"
        var path = ""
        do { path = try ModelPlace(model, force: false).temporary }
        try age(path)
        let next = try ModelPlace(model, force: false)
        #expect(!FileManager.default.fileExists(atPath: path))
        next.discard()
    }
}
