/// A command in the form in which it travels, so that sending copies bytes once.
package struct RedisCommand: Sendable, Hashable {
    /// The arguments as RESP bulk strings.
    private(set) var body: [UInt8] = []
    private(set) var argumentCount = 0

    package init(_ words: String...) {
        for word in words { append(word) }
    }

    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    package mutating func append(_ number: some BinaryInteger) {
        append(String(number))
    }

    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends all arguments of another command.
    package mutating func append(contentsOf other: RedisCommand) {
        body += other.body
        argumentCount += other.argumentCount
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        body.append(UInt8(ascii: "$"))
        body.append(contentsOf: String(bytes.count).utf8)
        body.append(contentsOf: [13, 10])
        body.append(contentsOf: bytes)
        body.append(contentsOf: [13, 10])
        argumentCount += 1
    }

    /// The first bytes on the wire, before `body`.
    var header: [UInt8] { Array("*\(argumentCount)\r\n".utf8) }
}
