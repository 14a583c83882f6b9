/// "Did you mean": the names a person most likely meant.
package enum SimilarNames {
    /// At most three names, most similar first, none of them far off.
    package static func nearest(to name: String, in names: [String]) -> [String] {
        let wanted = Array(name.lowercased().unicodeScalars.prefix(64))
        let ranked = names.prefix(2_000).compactMap { candidate -> (String, Int)? in
            let scalars = Array(candidate.lowercased().unicodeScalars.prefix(64))
            let distance = distance(wanted, scalars)
            let contains = candidate.lowercased().contains(name.lowercased())
            let near = max(2, max(wanted.count, scalars.count) / 2)
            return contains || distance <= near ? (candidate, contains ? 0 : distance) : nil
        }
        return ranked.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(3).map(\.0)
    }

    /// Levenshtein's distance, one row at a time.
    private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
        var previous = Array(0...right.count)
        for (row, scalar) in left.enumerated() {
            var next = [row + 1]
            for (column, other) in right.enumerated() {
                let change = previous[column] + (scalar == other ? 0 : 1)
                next.append(min(change, previous[column + 1] + 1, next[column] + 1))
            }
            previous = next
        }
        return previous[right.count]
    }
}
