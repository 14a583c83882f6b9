/// Gives the texts of a categorical column their final codes.
struct CSVLevels {
    /// What the column is.
    let kind: FeatureKind
    /// The value of each text, by the number it had while reading; NaN for one that is no level.
    let values: [Float]

    /// Levels in the order of their bytes, whatever order they came in; or a known kind's.
    ///
    /// A column whose texts are all "true" and "false", or all "yes" and "no", in any case, is
    /// boolean unless it is declared categorical.
    init(_ table: LevelTable, declared: CSVColumn.Declared) {
        let texts = (0..<table.count).map { String(decoding: table.text($0), as: UTF8.self) }
        switch declared {
        case .known(let known):
            kind = known
            let codes = known.codes
            values = texts.map { text in
                known == .boolean ? Self.boolean(text) ?? .nan : codes[text] ?? .nan
            }
        case .nothing:
            if Self.areBooleans(texts) {
                kind = .boolean
                values = texts.map { Self.boolean($0) ?? .nan }
            } else {
                (kind, values) = Self.sorted(texts)
            }
        case .categorical:
            (kind, values) = Self.sorted(texts)
        }
    }

    private static func sorted(_ texts: [String]) -> (FeatureKind, [Float]) {
        let order = texts.indices.sorted {
            texts[$0].utf8.lexicographicallyPrecedes(texts[$1].utf8)
        }
        var levels: [String] = []
        var codes: [String: Float] = [:]
        var values = [Float](repeating: .nan, count: texts.count)
        for index in order {
            // Two spellings of one text, as é in one or two characters, are one level.
            if let code = codes[texts[index]] {
                values[index] = code
                continue
            }
            codes[texts[index]] = Float(levels.count)
            values[index] = Float(levels.count)
            levels.append(texts[index])
        }
        return (.categorical(levels: levels), values)
    }

    private static func areBooleans(_ texts: [String]) -> Bool {
        let words = Set(texts.map { $0.lowercased() })
        return !words.isEmpty
            && (words.isSubset(of: ["true", "false"]) || words.isSubset(of: ["yes", "no"]))
    }

    private static func boolean(_ text: String) -> Float? {
        switch text.lowercased() {
        case "true", "yes", "1": 1
        case "false", "no", "0": 0
        default: nil
        }
    }
}
