extension Dataset {
    /// Reads files of one table into one data set.
    ///
    /// - Parameters:
    ///   - paths: files, folders (their data files in the order of their names' bytes) and
    ///     patterns with `*`, `?` or `[…]`, in the order of the rows. Parts of a table have the
    ///     same columns. A file may be compressed with gzip.
    ///   - options: which column is what. A format that is not given is told by the first part's
    ///     name, then its first bytes; CSV is what is left.
    /// - Throws: `DatasetError` with file, line and column of what cannot be used.
    public static func load(
        _ paths: [String], options: ReadOptions
    ) throws(DatasetError) -> Dataset {
        let parts = try DataPart.parts(of: paths)
        var format = options.format
        if format == nil { format = try parts[0].format() }
        switch format ?? .csv {
        case .csv: return try CSVReader(parts, options: options).dataset()
        case .libsvm: return try LibSVMReader(parts, options: options).dataset()
        case .npy: return try NPYReader(parts, options: options).dataset()
        }
    }

    /// Reads the bytes of a CSV that came from elsewhere; `name` stands for the file in errors, and
    /// its ending decides between commas and tabs.
    public static func load(
        csvBytes bytes: [UInt8], named name: String, options: ReadOptions
    ) throws(DatasetError) -> Dataset {
        try CSVReader([.memory(name: name, bytes: bytes)], options: options).dataset()
    }
}
