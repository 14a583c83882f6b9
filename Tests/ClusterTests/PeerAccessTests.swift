import Foundation
import HTTPClient
import Jobs
import Testing

@testable import Cluster

/// Who may read and leave blobs at a worker, and what hostile requests are answered.
@Suite struct PeerAccessTests {
    @Test("A pass is good for its method, its blob, its secret and its minute")
    func pass() {
        let digest = JobDigest.of([1])
        let pass = PeerPass.make("GET", digest, secret: "s", now: 1_000)
        func isGood(
            _ method: String = "GET", _ of: String = JobDigest.of([1]), secret: String = "s",
            at now: Int64 = 1_000
        ) -> Bool {
            PeerPass.isGood(pass, for: method, of, secret: secret, now: now)
        }
        #expect(isGood() && isGood(at: 1_060) && isGood(at: 1_120) && isGood(at: 940))
        #expect(!isGood("PUT") && !isGood("GET", JobDigest.of([2])) && !isGood(secret: "t"))
        #expect(!isGood(at: 1_121) && !isGood(at: 939))
        let hostile = [
            "", "Manta-Peer ", "Manta-Peer .", "Manta-Peer 1060", "Bearer s",
            "Manta-Peer 9223372036854775807." + pass.split(separator: ".")[1],
            "Manta-Peer x." + pass.split(separator: ".")[1], pass + ".x", pass + "0",
            String(repeating: "Manta-Peer ", count: 1_000),
        ]
        for text in hostile {
            #expect(!PeerPass.isGood(text, for: "GET", digest, secret: "s", now: 1_000), "\(text)")
        }
    }

    @Test("Without a pass nothing is read, left or learned")
    func refused() async throws {
        let store = StoreDouble()
        let rig = try await PeerRig.start("only", store, base: InMemoryBlobStore())
        let here = try await rig.take(Array("here".utf8))
        let absent = JobDigest.of(Array("absent".utf8))
        let jobToken = "Bearer " + JobToken.make(for: try JobID("job"), secret: PeerRig.secret)
        let shown = [
            "", "Bearer \(PeerRig.secret)", jobToken,
            PeerPass.make("GET", here, secret: "guess", now: PeerPass.now),
            PeerPass.make("GET", absent, secret: PeerRig.secret, now: PeerPass.now - 3_600),
        ]
        for pass in shown {
            #expect(try await rig.send(.get, here, pass: pass).status == 401)
            #expect(try await rig.send(.head, here, pass: pass).status == 401)
            #expect(try await rig.send(.get, absent, pass: pass).status == 401)
            #expect(try await rig.send(.put, absent, pass: pass, body: [1]).status == 401)
        }
        let read = PeerPass.make("GET", absent, secret: PeerRig.secret, now: PeerPass.now)
        #expect(try await rig.send(.put, absent, pass: read, body: [1]).status == 401)
        #expect(try await rig.send(.get, here).body == Array("here".utf8))
        #expect(try await rig.send(.head, here).status == 200)
        #expect(try await rig.send(.get, absent).status == 404)
        await rig.stop()
    }

    @Test("What is no digest never becomes a path")
    func paths() async throws {
        let rig = try await PeerRig.start("only", StoreDouble(), base: InMemoryBlobStore())
        try rig.folder.write("secret", to: "cache/secret")
        for name in [
            "..%2fsecret", "..%2f..%2fetc%2fpasswd", "secret", "%2e%2e", "A%00",
            String(repeating: "A", count: 64), String(repeating: "a", count: 63),
        ] {
            let pass = PeerPass.make("GET", name, secret: PeerRig.secret, now: PeerPass.now)
            let status = try await rig.send(.get, name, pass: pass).status
            #expect([400, 401, 404].contains(status), "\(name): \(status)")
        }
        await rig.stop()
    }

    @Test("A copy that is not what it is said to be leaves nothing")
    func wrongCopies() async throws {
        let rig = try await PeerRig.start("only", StoreDouble(), base: InMemoryBlobStore())
        let bytes = Array("the bytes".utf8)
        let digest = JobDigest.of(bytes)
        #expect(try await rig.send(.put, digest, body: Array("others".utf8)).status == 400)
        let pass = PeerPass.make("PUT", digest, secret: PeerRig.secret, now: PeerPass.now)
        let head =
            "PUT /blobs/\(digest) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            + "Authorization: \(pass)\r\n"
        let raw = [
            ["\(head)Content-Length: 99999999999999\r\n\r\n"],
            ["\(head)Content-Length: -1\r\n\r\n"],
            ["\(head)Transfer-Encoding: chunked\r\n\r\n", "9\r\nthe bytes\r\n0\r\n\r\n"],
        ]
        for texts in raw {
            let answer = try await RawExchange.send(texts, port: try rig.port)
            #expect(!answer.contains(" 200 "), "\(answer)")
        }
        let kept = rig.folder.path + "/cache/kept"
        #expect(try FileManager.default.contentsOfDirectory(atPath: kept).isEmpty)
        #expect(try await rig.send(.put, digest, body: bytes).status == 200)
        #expect(try await rig.send(.get, digest).body == bytes)
        await rig.stop()
    }

    @Test("An address names one place that others can reach")
    func addresses() {
        #expect(PeerAddress("10.0.0.7:8266") != nil)
        #expect(PeerAddress("worker-1.pods:0")?.port == 0)
        #expect(PeerAddress("[fd00::7]:8266")?.host == "fd00::7")
        for text in [
            "", ":", "10.0.0.7", "10.0.0.7:", ":8266", "0.0.0.0:8266", "[::]:8266",
            "10.0.0.7:65536", "10.0.0.7:-1", "fd00::7:8266", "a/b:1", "user@host:1", "a b:1",
            "http://a:1",
        ] {
            #expect(PeerAddress(text) == nil, "\(text)")
        }
    }
}
