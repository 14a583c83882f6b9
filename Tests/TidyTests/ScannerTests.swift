import Testing

/// The other suites are only as good as the scanner and the table parser they stand on.
@Suite("The readers behind the house rules")
struct ScannerTests {
    @Test("Comments and strings are no code, interpolations are")
    func literalsAreBlank() {
        let text = SwiftText(
            path: "x",
            text: """
                let a = "try! \\(b("print(")) fatalError(" // print(
                /* outer /* print( */ try! */ let c = #"a "quote" \\(no) print("#
                let d = \"\"\"
                    print( "not the end" \\(call(1))
                    \"\"\"
                """)
        let code = String(decoding: text.code, as: UTF8.self)
        #expect(!code.contains("try!"))
        #expect(!code.contains("print("))
        #expect(!code.contains("no"))
        #expect(code.contains("b("))
        #expect(code.contains("call(1)"))
        #expect(text.codeLines.count == 5)
        #expect(text.codeLines[1].contains("let c ="))
    }

    @Test("An import is found whatever stands before it")
    func importsAreFound() {
        let text = SwiftText(
            path: "x",
            text: """
                import A
                public import B
                @testable import struct C.Part
                // import D
                let important = "import E"
                """)
        #expect(text.imports.map(\.module) == ["A", "B", "C"])
        #expect(text.imports.map(\.line) == [1, 2, 3])
    }

    @Test("A function's height runs from its name to its closing brace")
    func functionsAreMeasured() {
        let text = SwiftText(
            path: "x",
            text: """
                protocol P {
                    func required(_ x: Int) async throws -> Int
                    init(y: Int)
                }
                struct S {
                    func one() { f(init: 3) }
                    func three<T>(
                        _ a: T = { "}" }()
                    ) async throws -> T where T: P {
                        func inner() {
                        }
                        return a
                    }
                    init?(z: Int) { self.init() }
                }
                """)
        #expect(text.functions.map(\.name) == ["one", "three", "inner", "init"])
        #expect(text.functions.map(\.lineCount) == [1, 7, 2, 1])
        #expect(text.functions.map(\.firstLine) == [6, 7, 10, 14])
    }

    @Test("The table parser reads names, rooms, C modules and products")
    func tableIsParsed() throws {
        let table = try RoomTable(
            manifest: """
                    case nioCore = "NIOCore"
                let cModules: [String: Target] = [
                    "CX": .systemLibrary(name: "CX", providers: [.apt(["libx-dev"])]),
                ]
                let rooms: [Room] = [
                    Room(name: "A", uses: ["CX"]),
                    // A comment.
                    Room(
                        name: "B",
                        uses: [
                            "A",
                        ],
                        products: [.nioCore], testUses: ["C"]),
                ]

                """)
        #expect(table.rooms.map(\.name) == ["A", "B"])
        #expect(table.rooms.map(\.uses) == [["CX"], ["A"]])
        #expect(table.rooms.map(\.products) == [[], ["NIOCore"]])
        #expect(table.cModules == ["CX"])
    }
}
