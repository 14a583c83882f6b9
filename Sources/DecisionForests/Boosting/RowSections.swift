/// How the entries are cut so that threads can move them without asking each other.
///
/// Each section has a range of the entries that its rows never leave: a node has some rows in each,
/// and who divides a node's rows in a section knows where they go. Sections take turns chunk by
/// chunk, so that a node's rows spread over all of them even where the data is sorted.
struct RowSections: Sendable {
    /// Per section, its range of the entries.
    let ranges: [Range<Int>]

    /// For one thread all rows are one section: its nodes' rows stay side by side.
    init(rowCount: Int, threads: Int) {
        let size = RowStates.chunkRows
        let chunkCount = (rowCount + size - 1) / size
        let count = Self.count(chunks: chunkCount, threads: threads)
        var ranges: [Range<Int>] = []
        for section in 0..<count {
            let start = ranges.last?.upperBound ?? 0
            let chunks = (chunkCount - section + count - 1) / count
            // Only the very last chunk may be shorter.
            let hasLast = chunkCount > 0 && (chunkCount - 1) % count == section
            let missing = hasLast ? chunkCount * size - rowCount : 0
            ranges.append(start..<start + chunks * size - missing)
        }
        self.ranges = ranges
    }

    /// Chunks of a section: what it moves stays in a core's second cache until it is summed.
    private static let chunksOfSection = 4
    /// Sections that a thread has at least, so that none waits long for the last.
    private static let sectionsOfThread = 16
    /// Beyond it nodes would have too few rows in each.
    private static let countMax = 512

    private static func count(chunks: Int, threads: Int) -> Int {
        guard threads > 1 else { return 1 }
        let wanted = max(sectionsOfThread * threads, chunks / chunksOfSection)
        return max(1, min(wanted, chunks, countMax))
    }

    func section(ofChunk chunk: Int) -> Int { chunk % ranges.count }

    /// Where the entries of a chunk start as long as no row has moved.
    func place(ofChunk chunk: Int) -> Int {
        ranges[section(ofChunk: chunk)].lowerBound + chunk / ranges.count * RowStates.chunkRows
    }
}

/// Rows of a node: in each section a range of its entries.
struct SectionedRows: Sendable {
    let ranges: [Range<Int>]
    /// Of all sections together.
    let count: Int

    init(_ ranges: [Range<Int>]) {
        self.ranges = ranges
        count = ranges.reduce(0) { $0 + $1.count }
    }

    /// The first `counts` rows of each section, and the others.
    func split(after counts: [Int]) -> (left: SectionedRows, right: SectionedRows) {
        let middles = zip(ranges, counts).map { $0.lowerBound + $1 }
        return (
            SectionedRows(zip(ranges, middles).map { $0.lowerBound..<$1 }),
            SectionedRows(zip(ranges, middles).map { $1..<$0.upperBound })
        )
    }

    /// The sections in groups of at least `least` rows; the last may have fewer.
    func groups(least: Int) -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var (start, rows) = (0, 0)
        for (section, range) in ranges.enumerated() {
            rows += range.count
            guard rows >= least || section == ranges.count - 1 else { continue }
            if rows > 0 { groups.append(start..<section + 1) }
            (start, rows) = (section + 1, 0)
        }
        return groups
    }
}
