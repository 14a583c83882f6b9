internal import COpenBLAS
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The few BLAS routines that learners use, from OpenBLAS.
///
/// The library is opened at first use, so that processes which only predict carry neither its code
/// nor its threads; it then runs on one thread, because its results depend on their number.
struct BLAS: Sendable {
    private typealias MultiplyDouble =
        @convention(c) (
            CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, Double,
            UnsafePointer<Double>?, blasint, UnsafePointer<Double>?, blasint, Double,
            UnsafeMutablePointer<Double>?, blasint
        ) -> Void
    private typealias RankUpdateDouble =
        @convention(c) (
            CBLAS_ORDER, CBLAS_UPLO, CBLAS_TRANSPOSE, blasint, blasint, Double,
            UnsafePointer<Double>?, blasint, Double, UnsafeMutablePointer<Double>?, blasint
        ) -> Void
    private typealias SetThreads = @convention(c) (Int32) -> Void

    private let multiplyDouble: MultiplyDouble
    private let rankUpdateDouble: RankUpdateDouble

    /// OpenBLAS's name where Debian and others install it for running programs.
    private static let library = "libopenblas.so.0"
    private static let shared = Mutex<BLAS?>(nil)

    /// The routines; opened once, and tried again after a failure.
    static func open() throws(BLASError) -> BLAS {
        let opened = shared.withLock { shared -> Result<BLAS, BLASError> in
            if let shared { return .success(shared) }
            let opened = Result { () throws(BLASError) in try BLAS(library: library) }
            shared = try? opened.get()
            return opened
        }
        return try opened.get()
    }

    /// Opens a library by name. It stays open as long as the process.
    init(library: String) throws(BLASError) {
        guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
            throw .notOpened(library: library, reason: Self.lastProblem())
        }
        func symbol<Function>(_ name: String, as type: Function.Type) throws(BLASError) -> Function
        {
            guard let address = dlsym(handle, name) else {
                throw .notOpened(library: library, reason: "it has no \(name)")
            }
            return unsafeBitCast(address, to: type)
        }
        try symbol("openblas_set_num_threads", as: SetThreads.self)(1)
        multiplyDouble = try symbol("cblas_dgemm", as: MultiplyDouble.self)
        rankUpdateDouble = try symbol("cblas_dsyrk", as: RankUpdateDouble.self)
    }

    /// left · right, both row after row: (rows × inner) · (inner × columns).
    func product(
        _ left: [Double], _ right: [Double], rows: Int, inner: Int, columns: Int
    ) -> [Double] {
        precondition(left.count == rows * inner && right.count == inner * columns, "wrong sizes")
        var product = [Double](repeating: 0, count: rows * columns)
        guard rows > 0, inner > 0, columns > 0 else { return product }
        multiplyDouble(
            CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows), blasint(columns),
            blasint(inner), 1, left, blasint(inner), right, blasint(columns), 0, &product,
            blasint(columns))
        return product
    }

    /// leftᵀ · right, both row after row: (rows × width)ᵀ · (rows × columns).
    func transposedProduct(
        _ left: [Double], _ right: [Double], rows: Int, width: Int, columns: Int
    ) -> [Double] {
        precondition(left.count == rows * width && right.count == rows * columns, "wrong sizes")
        var product = [Double](repeating: 0, count: width * columns)
        guard rows > 0, width > 0, columns > 0 else { return product }
        multiplyDouble(
            CblasRowMajor, CblasTrans, CblasNoTrans, blasint(width), blasint(columns),
            blasint(rows), 1, left, blasint(width), right, blasint(columns), 0, &product,
            blasint(columns))
        return product
    }

    /// The lower triangle of matrixᵀ · matrix (rows × width); zeros above it.
    func gram(_ matrix: [Double], rows: Int, width: Int) -> [Double] {
        precondition(matrix.count == rows * width, "wrong size")
        var gram = [Double](repeating: 0, count: width * width)
        guard rows > 0, width > 0 else { return gram }
        rankUpdateDouble(
            CblasRowMajor, CblasLower, CblasTrans, blasint(width), blasint(rows), 1, matrix,
            blasint(width), 0, &gram, blasint(width))
        return gram
    }

    private static func lastProblem() -> String {
        dlerror().map { String(cString: $0) } ?? "unknown reason"
    }
}

/// Why OpenBLAS is not at hand.
public enum BLASError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The library is not installed, or is not what its name says.
    case notOpened(library: String, reason: String)

    /// What happened and how to install the library.
    public var description: String {
        switch self {
        case .notOpened(let library, let reason):
            "OpenBLAS (\(library)) cannot be opened: \(reason). "
                + "Install it with: apt-get install libopenblas0"
        }
    }
}
