import Foundation

/// The loops of Benchmarks/kernels/kernels.c, from a shared library that stays for the process.
struct CLibrary {
    typealias Entries = UnsafePointer<UInt64>
    typealias Bytes = UnsafePointer<UInt8>
    typealias Cells = UnsafeMutablePointer<Int64>

    let addPacked: @convention(c) (Entries, Int, Bytes, Cells) -> Void
    let addWide:
        @convention(c) (
            Entries, Int, UnsafePointer<Int32>, UnsafePointer<Int32>, Bytes, Cells, Int
        ) -> Void
    let divide:
        @convention(c) (
            Entries, Int, Bytes, Bytes, UnsafeMutablePointer<UInt64>, UnsafeMutablePointer<UInt64>
        ) -> Int
    let logistic:
        @convention(c) (
            UnsafePointer<Double>, UnsafePointer<Float>, Int, UnsafeMutablePointer<Float>,
            UnsafeMutablePointer<Float>
        ) -> Void
    let quantise:
        @convention(c) (UnsafePointer<Float>, Int, Double, UnsafeMutablePointer<Int32>) -> Void

    init(_ path: String) throws {
        guard let handle = dlopen(path, RTLD_NOW) else {
            throw BenchOptions.Problem(description: "\(path) is no library")
        }
        /// The function of this name; `Function` must be its type.
        func find<Function>(_ name: String) throws -> Function {
            guard let address = dlsym(handle, name) else {
                throw BenchOptions.Problem(description: "\(path) has no \(name)")
            }
            return unsafeBitCast(address, to: Function.self)
        }
        addPacked = try find("add_packed")
        addWide = try find("add_wide")
        divide = try find("divide")
        logistic = try find("logistic")
        quantise = try find("quantise")
    }
}
