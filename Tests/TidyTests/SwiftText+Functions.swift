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
            if code[index] == "\n" { line += 1 }
            if isWordStart(index), let name = functionName(at: index),
                let body = bodyStart(after: index), let end = matching(body)
            {
                let height = code[index...end].count { $0 == "\n" } + 1
                found.append(FunctionSpan(name: name, firstLine: line, lineCount: height))
            }
            index += 1
        }
        return found
    }

    private func isWordStart(_ index: Int) -> Bool {
        guard isWordCharacter(code[index]) else { return false }
        return index == 0 || (!isWordCharacter(code[index - 1]) && code[index - 1] != ".")
    }

    private func isWordCharacter(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || character == "_" || character == "`"
    }

    private func word(at index: Int) -> String {
        String(code[index...].prefix(while: isWordCharacter))
    }

    private func functionName(at index: Int) -> String? {
        switch word(at: index) {
        case "func":
            let rest = code[(index + 4)...].drop { $0 == " " }
            return String(rest.prefix { $0 != "(" && $0 != "<" && $0 != " " && $0 != "\n" })
        case "init":
            let next = code[(index + 4)...].first
            return next == "(" || next == "?" || next == "<" ? "init" : nil
        case "deinit": return "deinit"
        case "subscript": return "subscript"
        default: return nil
        }
    }

    /// The `{` of the declaration at `index`; nil for a requirement of a protocol, or a call.
    private func bodyStart(after index: Int) -> Int? {
        var depth = 0
        var at = index
        while at < code.count {
            switch code[at] {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return at
            case "}" where depth <= 0: return nil
            case "\n" where depth == 0:
                guard continues(after: at) else { return nil }
            default: break
            }
            if depth < 0 { return nil }
            at += 1
        }
        return nil
    }

    /// Whether the next line goes on with the signature that ends in this one.
    private func continues(after lineFeed: Int) -> Bool {
        let rest = code[lineFeed...].drop { $0.isWhitespace }
        guard let first = rest.first else { return false }
        if "{)->(,".contains(first) { return true }
        let word = String(rest.prefix(while: isWordCharacter))
        let words: Set<String> = ["where", "async", "throws", "rethrows"]
        let before = code[..<lineFeed].last { !$0.isWhitespace }
        return words.contains(word) || before == "," || before == ">" && first != "}"
    }

    private func matching(_ open: Int) -> Int? {
        var depth = 0
        for at in open..<code.count {
            if code[at] == "{" { depth += 1 }
            if code[at] == "}" {
                depth -= 1
                if depth == 0 { return at }
            }
        }
        return nil
    }
}
