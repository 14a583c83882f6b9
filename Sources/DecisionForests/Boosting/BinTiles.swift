/// The bins of a data set row by row, as histograms read them: all features of a row side by side.
///
/// Features are cut into tiles of up to 32, so that a tile's histogram stays in the processor's
/// second cache and a row's bins in one cache line. See `HistogramKernel` for the layout.
struct BinTiles: Sendable {
    struct Tile: Sendable {
        let firstFeature: Int
        let featureCount: Int
        /// Words of 8 bins per row.
        let words: Int
        /// The tile's place, in words.
        let offset: Int
    }

    let tiles: [Tile]
    let rowCount: Int
    let featureCount: Int
    /// Features, filled up to whole words: features that a histogram has room for.
    let paddedCount: Int
    private let words: HugeBuffer<UInt64>

    private static let tileFeaturesMax = 32
    private static let chunkRows = 4096

    /// Arranges `columns`, which hold the bin of feature f in row r at `f * rowCount + r`.
    init(
        columns: UnsafePointer<UInt8>, rowCount: Int, featureCount: Int, kernels: BoosterKernels,
        team: ThreadTeam
    ) {
        self.rowCount = rowCount
        self.featureCount = featureCount
        var tiles: [Tile] = []
        var offset = 0
        for first in stride(from: 0, to: featureCount, by: Self.tileFeaturesMax) {
            let count = min(Self.tileFeaturesMax, featureCount - first)
            let words = (count + 7) / 8
            tiles.append(
                Tile(firstFeature: first, featureCount: count, words: words, offset: offset))
            offset += words * rowCount
        }
        self.tiles = tiles
        paddedCount = tiles.reduce(0) { $0 + $1.words * 8 }
        words = HugeBuffer(count: offset)
        let target = words.base
        let chunkCount = (rowCount + Self.chunkRows - 1) / Self.chunkRows
        team.forEach(chunkCount) { chunk, _ in
            let start = chunk * Self.chunkRows
            let count = min(Self.chunkRows, rowCount - start)
            for tile in tiles {
                for word in 0..<tile.words {
                    let sources = (0..<8).map { lane in
                        // Lanes beyond the last feature repeat it; nobody looks at them.
                        let feature = min(word * 8 + lane, tile.featureCount - 1)
                        return columns + (tile.firstFeature + feature) * rowCount + start
                    }
                    sources.withUnsafeBufferPointer { sources in
                        guard let sources = sources.baseAddress else { return }
                        kernels.interleave(
                            sources, count, target + tile.offset + start * tile.words + word,
                            tile.words)
                    }
                }
            }
        }
    }

    /// The tile's bins: byte j of row r at `r * words * 8 + j`.
    func bins(of tile: Tile) -> UnsafePointer<UInt8> {
        UnsafeRawPointer(words.base + tile.offset).assumingMemoryBound(to: UInt8.self)
    }
}
