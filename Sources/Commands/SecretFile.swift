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
        // Written beside its place and linked there whole: nobody ever reads half a secret.
        let draft = "\(path).\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try write(secret, to: draft)
        defer { unlink(draft) }
        if link(draft, path) == 0 { return secret }
        if errno == EEXIST { return try read(path) }
        throw SettingError("\(path) cannot be made: \(String(cString: strerror(errno)))")
    }

    private static func write(_ secret: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SettingError("\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let count = secret.utf8.count
        guard Foundation.write(descriptor, secret, count) == count, fsync(descriptor) == 0 else {
            let cause = String(cString: strerror(errno))
            unlink(path)
            throw SettingError("\(path) cannot be written: \(cause)")
        }
    }
}
