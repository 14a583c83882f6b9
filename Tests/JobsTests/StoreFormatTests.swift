import Redis
import Testing

@testable import Jobs

@Suite struct StoreFormatTests {
    @Test("Programs of this form agree, whoever comes first")
    func agreed() async throws {
        let client = try await SharedRedis.client()
        let keys = RedisKeys(namespace: "format-\(UInt64.random(in: 0 ... .max))")
        for program in ["1.0", "1.1"] {
            try await StoreFormat.agree(client, keys, program: program)
        }
        let kept = try await client.send(RedisCommand("GET", keys.name(.format))).string
        #expect(kept == "\(StoreFormat.current) 1.0")
    }

    @Test("A form that is too new is refused with both versions and the fix")
    func newer() throws {
        let error = #expect(throws: StoreConfigurationError.self) {
            try StoreFormat.check(
                "\(StoreFormat.current + 1) 9.1", program: "1.0", place: "here")
        }
        for word in ["manta 9.1", "manta 1.0", "MANTA_NAMESPACE"] {
            #expect(error?.description.contains(word) == true)
        }
    }

    @Test("What is no form of ours is refused", arguments: ["", "0", "-1 x", "junk", "1x 2"])
    func foreign(kept: String) {
        #expect(throws: StoreConfigurationError.self) {
            try StoreFormat.check(kept, program: "1.0", place: "here")
        }
    }
}
