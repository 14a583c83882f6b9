#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Dataset {
    /// How the target column of a CSV is understood.
    public enum TargetKind: String, Sendable, Codable, CaseIterable {
        /// Classes if any cell is not a number, or if all are integers with at most 100 different
        /// values; numbers otherwise.
        case automatic
        /// Classes: integers if all cells are integers, their text otherwise.
        case classification
        /// Numbers.
        case regression
    }

    /// Reads a CSV file with a header line; every column besides the target is a feature.
    ///
    /// Cells that are empty, NA, NaN or null are missing features. Numbers are rounded to float32.
    /// The file is read in pieces of 1 MiB, so beside the columns only one piece is held.
    public init(csv path: String, target: String, task: TargetKind = .automatic)
        throws(DatasetError)
    {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unreadable(path) }
        defer { close(descriptor) }
        var reader = CSVReader(file: path, target: target)
        // The longest record and one more piece must fit, whatever was left over.
        let pieceSize = 1 << 20
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(
            capacity: CSVTokenizer.lineLengthMax + pieceSize)
        defer { buffer.deallocate() }
        var held = 0
        while true {
            let count = read(descriptor, buffer.baseAddress.map { $0 + held }, pieceSize)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Self.unreadable(path) }
            held += count
            let used = try reader.consume(
                UnsafeBufferPointer(rebasing: buffer[..<held]), isLast: count == 0)
            if count == 0 { break }
            held -= used
            if used > 0, held > 0, let base = buffer.baseAddress {
                memmove(base, base + used, held)
            }
        }
        self = try reader.dataset(task: task)
    }

    /// Reads CSV bytes that came from elsewhere; `name` stands for the file in errors.
    public init(
        csvBytes bytes: [UInt8], named name: String, target: String, task: TargetKind = .automatic
    ) throws(DatasetError) {
        var reader = CSVReader(file: name, target: target)
        // A typed throw does not pass through withUnsafeBufferPointer's own, hence the Result.
        let outcome = bytes.withUnsafeBufferPointer { buffer -> Result<Int, DatasetError> in
            do throws(DatasetError) {
                return .success(try reader.consume(buffer, isLast: true))
            } catch {
                return .failure(error)
            }
        }
        _ = try outcome.get()
        self = try reader.dataset(task: task)
    }

    private static func unreadable(_ path: String) -> DatasetError {
        .unreadable(file: path, reason: String(cString: strerror(errno)))
    }
}
