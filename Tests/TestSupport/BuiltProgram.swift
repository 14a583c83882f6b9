import Foundation
import Processes

/// Programs of ours, built beside the tests.
package enum BuiltProgram {
    /// The one that answers to every subcommand.
    package static var manta: String { get throws { try path(of: "manta") } }

    /// One that answers to `guard` only, so that a room's tests need not wait for `manta`.
    package static var guardProgram: String { get throws { try path(of: "guard-program") } }

    /// - Throws: words that name the command that builds it.
    private static func path(of product: String) throws -> String {
        let folder = (ExecutablePath.current as NSString).deletingLastPathComponent
        let path = folder + "/" + product
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ProgramMissing(
                description: "\(path) is missing; run: swift build --product \(product)")
        }
        return path
    }
}

package struct ProgramMissing: Error, CustomStringConvertible {
    package let description: String
}
