extension Dataset {
    /// The files that `load` reads for these paths, folders and patterns, in its order.
    package static func files(of paths: [String]) throws(DatasetError) -> [String] {
        try DataPart.parts(of: paths).map(\.name)
    }
}
