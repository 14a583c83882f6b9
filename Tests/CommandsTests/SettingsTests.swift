import Foundation
import Testing

@testable import Commands

@Suite struct DotEnvTests {
    @Test("Lines are read as a shell would, with nothing expanded")
    func parse() {
        let values = DotEnv.parse(
            """
            # a comment
            PLAIN=value
            export EXPORTED=yes
              SPACED  =  around
            EMPTY=
            DOUBLE="two words"
            SINGLE='$HOME # kept'
            MIXED="it's"
            QUOTED='"inner"'
            COMMENT=value # said
            HASH=a#b
            ONLY= # nothing
            AFTER="quoted" # comment
            OPEN="not closed
            URL=redis://:p%40ss@host:6379/0?a=b
            DOLLAR=$HOME
            no equals sign
            =no name
            TWICE=1
            TWICE=2
            """)
        #expect(
            values == [
                "PLAIN": "value", "EXPORTED": "yes", "SPACED": "around", "EMPTY": "",
                "DOUBLE": "two words", "SINGLE": "$HOME # kept", "MIXED": "it's",
                "QUOTED": "\"inner\"", "COMMENT": "value", "HASH": "a#b", "ONLY": "",
                "AFTER": "quoted", "OPEN": "\"not closed", "URL": "redis://:p%40ss@host:6379/0?a=b",
                "DOLLAR": "$HOME", "TWICE": "2",
            ])
    }

    @Test("Carriage returns do not stick to values")
    func lineEnds() {
        #expect(DotEnv.parse("A=1\r\nB=\"2\"\r\n") == ["A": "1", "B": "2"])
    }

    @Test("No file, a folder, or a file that is far too long, is empty")
    func files() throws {
        let place = try TestPlace()
        #expect(DotEnv.read(place.path + "/none") == [:])
        #expect(DotEnv.read(place.path) == [:])
        try place.write("A=1\n" + String(repeating: "#", count: 65 << 10), to: "long")
        #expect(DotEnv.read(place.path + "/long") == [:])
        try place.write("A=1", to: "good")
        #expect(DotEnv.read(place.path + "/good") == ["A": "1"])
    }
}

@Suite struct ByteSizeTests {
    @Test(
        "Sizes with units",
        arguments: [
            ("4GiB", 4 << 30), ("512MiB", 512 << 20), ("1.5GB", 1_500_000_000), ("0B", 0),
            ("7B", 7),
            ("1kB", 1_000), ("1KB", 1_000), ("1KiB", 1_024), ("2TiB", 2 << 40),
            ("0.5TB", 500 << 30),
        ] as [(String, Int64)])
    func sizes(_ text: String, _ bytes: Int64) throws {
        let expected = text == "0.5TB" ? 500_000_000_000 : bytes
        #expect(try ByteSize(text).bytes == expected)
    }

    @Test("A bare number asks back")
    func bareNumber() {
        let error = #expect(throws: SettingError.self) { try ByteSize("4") }
        #expect(error?.description.contains("did you mean 4GiB or 4MiB?") == true)
    }

    @Test(
        "What is no size is refused, and never traps",
        arguments: [
            "", "GiB", "-1GiB", "infGiB", "nanB", "1e300TiB", "9e18B", "4 GiB", "4gib", "GiB4",
            "four",
            "0x", "1,5GB", "٤GiB", "4G",
        ])
    func nonsense(_ text: String) {
        #expect(throws: SettingError.self) { try ByteSize(text) }
    }
}

@Suite struct EnvironmentTests {
    @Test("The head's address: flag, ours, Ray's, default")
    func headAddress() throws {
        let place = try TestPlace()
        func address(_ values: [String: String], flag: String? = nil) -> String {
            Environment(values: values.merging(["MANTA_DATA_DIR": place.path]) { a, _ in a })
                .headAddress(flag)
        }
        #expect(address([:]) == "http://localhost:8265")
        #expect(address(["RAY_ADDRESS": "http://ray:1"]) == "http://ray:1")
        #expect(address(["RAY_ADDRESS": "auto"]) == "http://localhost:8265")
        #expect(address(["RAY_ADDRESS": ""]) == "http://localhost:8265")
        let both = ["RAY_ADDRESS": "a:1", "RAY_API_SERVER_ADDRESS": "b:2"]
        #expect(address(both) == "http://b:2")
        #expect(address(both.merging(["MANTA_ADDRESS": "c:3"]) { a, _ in a }) == "http://c:3")
        #expect(address(["MANTA_ADDRESS": "c:3"], flag: "https://d") == "https://d")
    }

    @Test("A secret comes from its variable, else from its file")
    func secrets() throws {
        let place = try TestPlace()
        let file = try place.write("  from file \n", to: "secret")
        #expect(try Environment(values: ["S": "direct", "S_FILE": file]).secret("S") == "direct")
        #expect(try Environment(values: ["S_FILE": file]).secret("S") == "from file")
        #expect(try Environment(values: ["S": ""]).secret("S") == nil)
        #expect(throws: SettingError.self) {
            try Environment(values: ["S_FILE": place.path + "/none"]).secret("S")
        }
    }

    @Test("The token is made once, and only where it may be")
    func token() throws {
        let place = try TestPlace()
        let environment = Environment(values: ["XDG_STATE_HOME": place.path])
        #expect(try environment.token() == nil)
        let made = try #require(try environment.token(makes: true))
        #expect(made.utf8.count == 64)
        #expect(try environment.token() == made && environment.token(makes: true) == made)
        let set = Environment(values: ["XDG_STATE_HOME": place.path, "MANTA_TOKEN": "own"])
        #expect(try set.token() == "own")
    }

    @Test("Folders follow XDG; relative values are ignored; the runtime folder stays short")
    func folders() {
        let home = Environment(values: ["HOME": "/u", "XDG_DATA_HOME": "relative"])
        #expect(home.stateDirectory == "/u/.local/state/manta")
        #expect(home.dataDirectory == "/u/.local/share/manta")
        #expect(home.cacheDirectory == "/u/.cache/manta")
        #expect(Environment(values: ["XDG_CACHE_HOME": "/c"]).cacheDirectory == "/c/manta")
        #expect(
            Environment(values: ["XDG_RUNTIME_DIR": "/run/u"]).runtimeDirectory == "/run/u/manta")
        let long = "/" + String(repeating: "x", count: 80)
        #expect(
            Environment(values: ["XDG_RUNTIME_DIR": long]).runtimeDirectory.hasPrefix("/tmp/manta-")
        )
    }
}
