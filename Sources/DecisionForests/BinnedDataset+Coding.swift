/// The binary form in which a binned data set travels, made to be mapped: little-endian, one form
/// per value.
///
/// Mark "MantaBins", version; row and column counts, names and kinds; the target's name, kind and
/// labels, whether there are weights; the edges of each column, and per level its bin. Then
/// sections that each begin at a multiple of 64 bytes, with zeros between them: the least values of
/// all bins, the greatest, the target's numbers, the weights if any, the bins column by column.
///
/// The bins are used where they stand. All the rest, at most 8 bytes per row, is copied.
extension BinnedDataset {
    private static let mark = "MantaBins"
    private static let version: UInt32 = 2

    /// Where the sections of some shape begin and end.
    private struct Layout {
        let least: Range<Int>
        let greatest: Range<Int>
        let target: Range<Int>
        let weights: Range<Int>
        let bins: Range<Int>

        /// All bytes.
        var count: Int { bins.upperBound }

        init(headerCount: Int, rowCount: Int, featureCount: Int, hasWeights: Bool) {
            var end = headerCount
            func section(_ count: Int) -> Range<Int> {
                let start = (end + ByteStorage.alignment - 1) & ~(ByteStorage.alignment - 1)
                end = start + count
                return start..<end
            }
            least = section(featureCount * 256 * 4)
            greatest = section(featureCount * 256 * 4)
            target = section(rowCount * 4)
            weights = section(hasWeights ? rowCount * 4 : 0)
            bins = section(rowCount * featureCount)
        }
    }

    // MARK: Writing

    /// The data set as bytes. Equal data sets give equal bytes.
    package func encoded() -> ByteStorage {
        let header = header()
        let layout = Layout(
            headerCount: header.count, rowCount: rowCount, featureCount: featureCount,
            hasWeights: weights != nil)
        return ByteStorage(count: layout.count) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            func put(_ source: UnsafeRawBufferPointer, at range: Range<Int>) {
                UnsafeMutableRawBufferPointer(rebasing: buffer[range]).copyMemory(from: source)
            }
            header.withUnsafeBytes { put($0, at: 0..<header.count) }
            bins.withUnsafeBufferPointer { put(UnsafeRawBufferPointer($0), at: layout.bins) }
            Self.littleEndian(leastInBin).withUnsafeBytes { put($0, at: layout.least) }
            Self.littleEndian(greatestInBin).withUnsafeBytes { put($0, at: layout.greatest) }
            let numbers: [UInt32] =
                switch target {
                case .classes(_, let indices): indices.map { UInt32(bitPattern: $0).littleEndian }
                case .values(let values): Self.littleEndian(values)
                }
            numbers.withUnsafeBytes { put($0, at: layout.target) }
            if let weights {
                Self.littleEndian(weights).withUnsafeBytes { put($0, at: layout.weights) }
            }
        }
    }

    private static func littleEndian(_ values: [Float]) -> [UInt32] {
        values.map { $0.bitPattern.littleEndian }
    }

    private func header() -> [UInt8] {
        var writer = ByteWriter()
        for byte in Self.mark.utf8 { writer.append(byte) }
        writer.append(Self.version)
        writer.append(UInt32(rowCount))
        writer.append(UInt32(featureCount))
        for name in featureNames { writer.append(text: name) }
        for kind in featureKinds { Dataset.append(kind, to: &writer) }
        writer.append(text: targetName)
        if case .classes(let labels, _) = target {
            writer.append(UInt8(0))
            Dataset.append(labels, to: &writer)
        } else {
            writer.append(UInt8(1))
        }
        writer.append(UInt8(weights == nil ? 0 : 1))
        for edges in binner.edges {
            writer.append(UInt32(edges.count))
            writer.append(floats: edges)
        }
        for bins in binner.categoryBins {
            writer.append(UInt32(bins.count))
            for bin in bins { writer.append(bin) }
        }
        return writer.bytes
    }

    // MARK: Reading

    /// The data set that `encoded()` wrote; its bins are those of `storage`, which it keeps.
    ///
    /// The bytes are held against all that learners rely on, in one pass over them: anything else
    /// throws. The result has no `dataset`.
    package init(decoding storage: ByteStorage) throws(DamagedBytes) {
        var reader = ByteReader(storage, subject: "binned data set")
        try reader.expect(mark: Self.mark, version: Self.version)
        rowCount = Int(try reader.read(UInt32.self))
        let featureCount = try reader.readCount(ofSize: 4)
        guard rowCount <= Dataset.rowCountMax, featureCount > 0,
            rowCount <= storage.count / featureCount
        else {
            throw reader.damaged("\(rowCount) rows and \(featureCount) columns")
        }
        featureNames = try reader.readMany(featureCount) { (reader) throws(DamagedBytes) in
            try reader.readText()
        }
        featureKinds = try reader.readMany(featureCount) { (reader) throws(DamagedBytes) in
            try Dataset.readKind(from: &reader)
        }
        targetName = try reader.readText()
        let labels =
            try reader.readFlags(1) == [true]
            ? nil : try Dataset.readLabels(from: &reader)
        let hasWeights = try reader.readFlags(1) == [true]
        let edges = try reader.readMany(featureCount) { (reader) throws(DamagedBytes) in
            try Self.readEdges(from: &reader)
        }
        let categoryBins = try reader.readMany(featureCount) { (reader) throws(DamagedBytes) in
            let count = try reader.readCount(ofSize: 1, max: FeatureKind.levelCountMax)
            return try reader.readMany(count) { (reader) throws(DamagedBytes) in
                try reader.read(UInt8.self)
            }
        }
        let layout = Layout(
            headerCount: reader.offset, rowCount: rowCount, featureCount: featureCount,
            hasWeights: hasWeights)
        guard layout.count == storage.count else {
            throw reader.damaged("\(storage.count) bytes where \(layout.count) are expected")
        }
        try reader.skip(to: layout.least.lowerBound)
        leastInBin = try reader.readFloats(featureCount * 256)
        try reader.skip(to: layout.greatest.lowerBound)
        greatestInBin = try reader.readFloats(featureCount * 256)
        try reader.skip(to: layout.target.lowerBound)
        if let labels {
            target = .classes(labels: labels, indices: try reader.readNumbers(rowCount))
        } else {
            target = .values(try reader.readFloats(rowCount))
        }
        try reader.skip(to: layout.weights.lowerBound)
        weights = hasWeights ? try reader.readFloats(rowCount) : nil
        try reader.skip(to: layout.bins.lowerBound)
        bins = SharedBytes(storage, layout.bins)
        dataset = nil
        binner = FeatureBinner(edges: edges, categoryBins: categoryBins)
        if let problem = problem() { throw reader.damaged(problem) }
    }

    private static func readEdges(
        from reader: inout ByteReader
    ) throws(DamagedBytes) -> [Float] {
        let count = try reader.readCount(ofSize: 4, max: FeatureBinner.valueBinsMax - 1)
        return try reader.readFloats(count)
    }

    // MARK: Checking

    /// What is wrong with a data set whose sizes fit; nil if nothing is.
    private func problem() -> String? {
        if Set(featureNames).count != featureCount { return "two columns have the same name" }
        for feature in 0..<featureCount {
            if let problem = problem(ofFeature: feature) {
                return "column \(feature) \(problem)"
            }
        }
        if let weights, !weights.allSatisfy({ $0.isFinite && $0 >= 0 }) {
            return "a weight is negative or not finite"
        }
        switch target {
        case .values(let values):
            return values.allSatisfy(\.isFinite) ? nil : "a target value is not finite"
        case .classes(let labels, let indices):
            guard zip(labels, labels.dropFirst()).allSatisfy({ $0 < $1 }) else {
                return "its classes are not sorted or not different"
            }
            let classRange = 0..<Int32(labels.count)
            return indices.allSatisfy(classRange.contains) ? nil : "a row's class is unknown"
        }
    }

    /// The rows' bins must be bins that the edges make; the values of each bin that has rows must
    /// lie between its edges.
    private func problem(ofFeature feature: Int) -> String? {
        let edges = binner.edges[feature]
        guard edges.allSatisfy(\.isFinite), zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
        else { return "has edges that do not ascend" }
        let counts = bins.withUnsafeBufferPointer { bins in
            ByteCounts.counts(
                UnsafeBufferPointer(rebasing: bins[feature * rowCount..<(feature + 1) * rowCount]))
        }
        let categoryBins = binner.categoryBins[feature]
        guard categoryBins.count == featureKinds[feature].levels?.count ?? 0 else {
            return "has bins for \(categoryBins.count) levels"
        }
        if !categoryBins.isEmpty {
            guard edges.isEmpty, !categoryBins.contains(FeatureBinner.missingBin) else {
                return "has levels without a bin of their own"
            }
            let known = Set(categoryBins)
            return (0..<FeatureBinner.missingBin).allSatisfy {
                counts[Int($0)] == 0 || known.contains($0)
            } ? nil : "has a bin that no level has"
        }
        for bin in 0..<Int(FeatureBinner.missingBin) where counts[bin] > 0 {
            guard bin <= edges.count else { return "has a bin that no edge closes" }
            let (least, greatest) = (
                leastInBin[feature * 256 + bin], greatestInBin[feature * 256 + bin]
            )
            let isAboveEdge = bin == 0 || least > edges[bin - 1]
            let isBelowEdge = bin == edges.count || greatest <= edges[bin]
            guard least.isFinite, greatest.isFinite, least <= greatest, isAboveEdge, isBelowEdge
            else { return "has a bin whose values lie outside it" }
        }
        return nil
    }
}

/// How often each byte occurs.
enum ByteCounts {
    static func counts(_ bytes: UnsafeBufferPointer<UInt8>) -> [Int] {
        // Four tables: equal bytes one after the other do not wait for each other's sums.
        var counts = [UInt32](repeating: 0, count: 4 * 256)
        counts.withUnsafeMutableBufferPointer { counts in
            guard let table = counts.baseAddress, let base = bytes.baseAddress else { return }
            let whole = bytes.count & ~3
            var index = 0
            while index < whole {
                table[Int(base[index])] &+= 1
                table[256 + Int(base[index + 1])] &+= 1
                table[512 + Int(base[index + 2])] &+= 1
                table[768 + Int(base[index + 3])] &+= 1
                index += 4
            }
            while index < bytes.count {
                table[Int(base[index])] &+= 1
                index += 1
            }
        }
        return (0..<256).map { bin in
            (0..<4).reduce(0) { $0 + Int(counts[$1 * 256 + bin]) }
        }
    }
}
