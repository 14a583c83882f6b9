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

    /// A matrix in memory, column after column.
    struct Matrix<Pointer> {
        let start: Pointer
        let rows: Int
        let columns: Int
        /// From one column to the next; at least `rows`.
        let stride: Int
    }
    typealias Source = Matrix<UnsafePointer<Double>>
    typealias Target = Matrix<UnsafeMutablePointer<Double>>

    /// product = left · right.
    func multiply(_ left: Source, _ right: Source, into product: Target) {
        precondition(
            left.columns == right.rows && product.rows == left.rows
                && product.columns == right.columns, "wrong sizes")
        multiplyDouble(
            CblasColMajor, CblasNoTrans, CblasNoTrans, blasint(left.rows), blasint(right.columns),
            blasint(left.columns), 1, left.start, blasint(left.stride), right.start,
            blasint(right.stride), 0, product.start, blasint(product.stride))
    }

    /// product += leftᵀ · right.
    func addTransposedProduct(_ left: Source, _ right: Source, to product: Target) {
        precondition(
            left.rows == right.rows && product.rows == left.columns
                && product.columns == right.columns, "wrong sizes")
        multiplyDouble(
            CblasColMajor, CblasTrans, CblasNoTrans, blasint(left.columns), blasint(right.columns),
            blasint(left.rows), 1, left.start, blasint(left.stride), right.start,
            blasint(right.stride), 1, product.start, blasint(product.stride))
    }

    /// gram += matrixᵀ · matrix, of which only elements with row ≥ column are written.
    func addGram(_ matrix: Source, to gram: Target) {
        precondition(
            gram.rows == matrix.columns && gram.columns == matrix.columns, "wrong sizes")
        rankUpdateDouble(
            CblasColMajor, CblasLower, CblasTrans, blasint(matrix.columns), blasint(matrix.rows),
            1, matrix.start, blasint(matrix.stride), 1, gram.start, blasint(gram.stride))
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
