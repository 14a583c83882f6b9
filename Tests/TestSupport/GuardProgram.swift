import Foundation
import Processes

/// The program that answers to `guard`: our own binary, built beside the tests.
package enum GuardProgram {
    /// - Throws: words that name the command that builds it.
    package static var path: String {
        get throws {
            let folder = (ExecutablePath.current as NSString).deletingLastPathComponent
            let path = folder + "/manta"
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw GuardProgramMissing(
                    description: "\(path) is missing; run: swift build --product manta")
            }
            return path
        }
    }
}

package struct GuardProgramMissing: Error, CustomStringConvertible {
    package let description: String
}
