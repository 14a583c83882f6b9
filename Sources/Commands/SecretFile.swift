import Crypto
import Foundation

/// A secret in a file that only its owner can read.
enum SecretFile {
    static func read(_ path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 4_096 else {
            throw SettingError("the secret file \(path) cannot be read")
        }
        let text = String(decoding: data, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw SettingError("the secret file \(path) is empty") }
        return text
    }

    /// Makes the file with 256 random bits; when another process was first, answers what that made.
    static func make(_ path: String) throws -> String {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { bytes in
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST { return try read(path) }
            throw SettingError("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let count = secret.utf8.count
        guard write(descriptor, secret, count) == count else {
            throw SettingError("\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        return secret
    }
}
