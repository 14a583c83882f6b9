internal import CHiredis

/// One reply of a Redis server, as plain Swift values.
package enum RESPValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case status(String)
    case bulk([UInt8])
    case array([RESPValue])
    case error(RedisServerError)

    package var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .bulk(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
        default: nil
        }
    }

    package var bytes: [UInt8]? {
        if case .bulk(let bytes) = self { bytes } else { nil }
    }

    /// A bulk or status reply as text; nil when it is not UTF-8.
    package var string: String? {
        switch self {
        case .status(let text): text
        case .bulk(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    package var array: [RESPValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    package var isNull: Bool { self == .null }
}

/// An error that the server itself answered: `-CODE message`.
package struct RedisServerError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        case loading = "LOADING"
        case readOnly = "READONLY"
        case masterDown = "MASTERDOWN"
        case busy = "BUSY"
        case tryAgain = "TRYAGAIN"
        case outOfMemory = "OOM"
        case cannotPersist = "MISCONF"
        case noAuthentication = "NOAUTH"
        case wrongPassword = "WRONGPASS"
        case noPermission = "NOPERM"
        case moved = "MOVED"
        case ask = "ASK"
        case wrongType = "WRONGTYPE"
        case other = ""
    }

    package let code: Code
    /// The server's whole line.
    package let message: String

    package init(message: String) {
        self.message = message
        let word = message.prefix { $0 != " " }
        code = Code(rawValue: String(word)) ?? .other
    }

    package var description: String { message }

    /// The server refused for now and did nothing; the same command may succeed a little later.
    package var isTransient: Bool {
        switch code {
        case .loading, .masterDown, .busy, .tryAgain, .readOnly: true
        default: false
        }
    }
}

extension RESPValue {
    /// Copies a reply of hiredis; the caller frees the original.
    init(_ reply: UnsafePointer<redisReply>) {
        switch reply.pointee.type {
        case REDIS_REPLY_INTEGER: self = .integer(reply.pointee.integer)
        case REDIS_REPLY_STATUS:
            self = .status(String(decoding: RESPValue.bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_STRING: self = .bulk(RESPValue.bytes(of: reply))
        case REDIS_REPLY_ARRAY: self = .array(RESPValue.elements(of: reply))
        case REDIS_REPLY_ERROR:
            let message = String(decoding: RESPValue.bytes(of: reply), as: UTF8.self)
            self = .error(RedisServerError(message: message))
        default: self = .null
        }
    }

    private static func bytes(of reply: UnsafePointer<redisReply>) -> [UInt8] {
        guard let text = reply.pointee.str else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: text, count: Int(reply.pointee.len)))
    }

    private static func elements(of reply: UnsafePointer<redisReply>) -> [RESPValue] {
        guard let elements = reply.pointee.element else { return [] }
        return (0..<Int(reply.pointee.elements)).map { index in
            elements[index].map { RESPValue($0) } ?? .null
        }
    }
}
