/// One function or initialiser with a body.
struct FunctionSpan {
    let name: String
    let firstLine: Int
    let lineCount: Int
}

extension SwiftText {
    /// Every `func`, `init`, `deinit` and `subscript` that has a body, nested ones too.
    var functions: [FunctionSpan] {
        var found: [FunctionSpan] = []
        var line = 1
        var index = 0
        while index < code.count {
            if code[index] == UInt8(ascii: "\n") { line += 1 }
            if isWordStart(index), let name = functionName(at: index),
                let body = bodyStart(after: index), let end = matching(body)
            {
                let height = code[index...end].count { $0 == UInt8(ascii: "\n") } + 1
                found.append(FunctionSpan(name: name, firstLine: line, lineCount: height))
            }
            index += 1
        }
        return found
    }

    private func isWordStart(_ index: Int) -> Bool {
        // func, init, deinit, subscript: most of a file is left out by one comparison.
        guard "fids".utf8.contains(code[index]) else { return false }
        guard index > 0 else { return true }
        return !isWordByte(code[index - 1]) && code[index - 1] != UInt8(ascii: ".")
    }

    private func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "`"):
            true
        default: false
        }
    }

    private func word(at index: Int) -> String {
        String(decoding: code[index...].prefix(while: isWordByte), as: UTF8.self)
    }

    private func functionName(at index: Int) -> String? {
        switch word(at: index) {
        case "func":
            let rest = code[(index + 4)...].drop { $0 == UInt8(ascii: " ") }
            return String(decoding: rest.prefix { !"(< \n".utf8.contains($0) }, as: UTF8.self)
        case "init":
            guard index + 4 < code.count else { return nil }
            return "(?<".utf8.contains(code[index + 4]) ? "init" : nil
        case "deinit": return "deinit"
        case "subscript": return "subscript"
        default: return nil
        }
    }

    /// The `{` of the declaration at `index`; nil for a requirement of a protocol, or a call.
    private func bodyStart(after index: Int) -> Int? {
        var depth = 0
        for at in index..<code.count {
            switch Character(UnicodeScalar(code[at])) {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return at
            case "}" where depth <= 0: return nil
            case "\n" where depth == 0:
                guard continues(after: at) else { return nil }
            default: break
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    /// Whether the next line goes on with the signature that ends in this one.
    private func continues(after lineFeed: Int) -> Bool {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") }
        let rest = code[lineFeed...].drop(while: isBlank)
        guard let first = rest.first else { return false }
        if "{)->(,".utf8.contains(first) { return true }
        let before = code[..<lineFeed].last { !isBlank($0) }
        return ["where", "async", "throws", "rethrows"].contains(word(at: rest.startIndex))
            || before == UInt8(ascii: ",")
            || before == UInt8(ascii: ">") && first != UInt8(ascii: "}")
    }

    private func matching(_ open: Int) -> Int? {
        var depth = 0
        for at in open..<code.count {
            if code[at] == UInt8(ascii: "{") { depth += 1 }
            if code[at] == UInt8(ascii: "}") {
                depth -= 1
                if depth == 0 { return at }
            }
        }
        return nil
    }
}
