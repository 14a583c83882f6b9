import Cluster
import Foundation
import HTTPClient
import Testing

@testable import Commands

@Suite struct CommandFailureTests {
    @Test(
        "What the head says becomes an exit code, its words stay",
        arguments: [
            (400, 2), (401, 7), (403, 7), (404, 3), (409, 4), (413, 1), (500, 1), (503, 1),
            (504, 5),
        ] as [(Int, Int32)])
    func head(_ status: Int, _ code: Int32) {
        let failure = CommandFailure(HeadFailure(status, "x", "these words"))
        #expect(failure.code == code && failure.description == "these words")
    }

    @Test("A head that cannot be reached says how to start one")
    func connection() {
        let failure = CommandFailure(
            HTTPClientError.cannotConnect(host: "h", cause: "refused"), address: "http://h:1")
        #expect(failure.code == 6)
        #expect(failure.description.contains("http://h:1: refused"))
        #expect(failure.description.contains("manta up"))
        #expect(CommandFailure(HTTPClientError.timedOut(host: "h")).code == 5)
        let lost = CommandFailure(HTTPClientError.connectionLost(host: "h", cause: "c"))
        #expect(lost.code == 1 && lost.description == "The connection to h was lost: c.")
    }

    @Test("Settings are usage; files that cannot be read are said in words")
    func others() throws {
        #expect(CommandFailure(SettingError("s")).code == 2)
        let kept = CommandFailure(CommandFailure("words", code: 42))
        #expect(kept.code == 42 && kept.description == "words")
        do {
            _ = try Data(contentsOf: URL(fileURLWithPath: "/no/such/file"))
        } catch {
            let failure = CommandFailure(error)
            #expect(failure.code == 1 && !failure.description.contains("Error Domain"))
        }
    }
}
