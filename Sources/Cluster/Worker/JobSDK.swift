internal import Crypto
import Foundation
import Jobs
import Processes

/// The folder a job script is compiled against: modules, module maps, C headers and libraries.
///
/// `script/assemble-sdk` makes it; nothing outside it and the Swift toolchain is needed to compile.
/// `flags` lists compiler arguments, one a line, with `@SDK@` for the folder's own path.
package struct JobSDK: Sendable {
    /// The label of workers that have one and can run scripts.
    static let label = NewTask.toolchainLabel

    package let directory: String
    package let compiler: String

    /// - Throws: `JobSDKError` naming what is missing and how to make it.
    package init(directory: String, compiler: String) throws {
        self.directory = directory
        self.compiler = compiler
        _ = try digest()
    }

    /// SHA-256 of what decides the binary besides the script: the SDK's content and the compiler.
    ///
    /// Read anew each time: the folder may be replaced by a newer one while a worker runs.
    func digest() throws -> String {
        guard FileManager.default.isReadableFile(atPath: directory + "/flags"),
            let content = FileManager.default.contents(atPath: directory + "/digest")
        else {
            throw JobSDKError(directory: directory, missing: "flags or digest is")
        }
        var hash = SHA256()
        hash.update(data: content)
        hash.update(data: Data("\(directory)\n\(compiler)".utf8))
        return hash.finalize().hex
    }

    /// The compiler's arguments before the files it compiles.
    func flags() throws -> [String] {
        guard let data = FileManager.default.contents(atPath: directory + "/flags") else {
            throw JobSDKError(directory: directory, missing: "flags is")
        }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map {
            $0.replacingOccurrences(of: "@SDK@", with: directory)
        }
    }

    /// The toolchain's `swift`, which reads packages' manifests; nil where there is none.
    func packageTool(_ environment: [String: String]) -> String? {
        let sibling = (compiler as NSString).deletingLastPathComponent + "/swift"
        if FileManager.default.isExecutableFile(atPath: sibling) { return sibling }
        return ExecutablePath.find("swift", environment)
    }
}

package struct JobSDKError: Error, CustomStringConvertible {
    let directory: String
    let missing: String

    package var description: String {
        "\(directory) is no job SDK: \(missing) missing. Run script/build to make it."
    }
}

extension Sequence<UInt8> {
    /// Lower-case hexadecimal digits.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
