import Redis
import Testing

@Suite struct RedisEndpointTests {
    @Test(
        "Every documented form is read",
        arguments: [
            ("redis:6379", RedisEndpoint(address: .tcp(host: "redis", port: 6379))),
            ("redis", RedisEndpoint(address: .tcp(host: "redis", port: 6379))),
            ("redis://h", RedisEndpoint(address: .tcp(host: "h", port: 6379))),
            ("redis://h:1/2", RedisEndpoint(address: .tcp(host: "h", port: 1), database: 2)),
            ("REDIS://h?db=3", RedisEndpoint(address: .tcp(host: "h", port: 6379), database: 3)),
            (
                "redis://:p%40ss@h",
                RedisEndpoint(address: .tcp(host: "h", port: 6379), password: "p@ss")
            ),
            (
                "redis://me:a:b@[::1]:7/0",
                RedisEndpoint(address: .tcp(host: "::1", port: 7), user: "me", password: "a:b")
            ),
            (
                "unix:///run/r.sock?db=4",
                RedisEndpoint(address: .unix(path: "/run/r.sock"), database: 4)
            ),
        ])
    func reads(_ url: String, _ expected: RedisEndpoint) throws {
        #expect(try RedisEndpoint(url: url) == expected)
    }

    @Test(
        "What cannot be used is refused with a reason and without the password",
        arguments: [
            "", "redis://", "rediss://u:secret@h", "redis+sentinel://h", "http://secret@h",
            "redis://h:0", "redis://h:99999", "redis://h:x", "redis://h/x", "redis://h/-1",
            "redis://h?x=1", "unix://relative", "redis://:%zz@h", "redis://[::1]x",
        ])
    func refuses(_ url: String) {
        let error = #expect(throws: RedisURLError.self) { try RedisEndpoint(url: url) }
        #expect(error?.description.isEmpty == false)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("A description never shows the password")
    func description() throws {
        let endpoint = try RedisEndpoint(url: "redis://me:secret@h:1/2")
        #expect("\(endpoint)" == "redis://h:1/2")
    }
}
