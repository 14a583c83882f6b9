/// An amount of memory as people write it: "4GiB", "512MiB", "1.5GB".
struct ByteSize {
    let bytes: Int64

    private static let units: [(String, Double)] = [
        ("KiB", 1_024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("TiB", 1_099_511_627_776),
        ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1),
    ]

    /// - Throws: `SettingError`; a bare number is refused, because nobody agrees what it would
    ///   mean.
    init(_ text: String) throws {
        for (unit, factor) in ByteSize.units where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number >= 0 else { break }
            let value = number * factor
            guard value.isFinite, value < 9e18 else { break }
            bytes = Int64(value)
            return
        }
        if Double(text) != nil {
            throw SettingError("a size needs a unit; did you mean \(text)GiB or \(text)MiB?")
        }
        throw SettingError("'\(text)' is no size; write 4GiB or 512MiB.")
    }
}
