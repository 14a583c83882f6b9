import Foundation
import NIOCore
import TestSupport
import Testing

@testable import Serving

/// Packed bodies, made by Python's zlib in all its ways.
@Suite struct ContentEncodingTests {
    static let body =
        "{\"features\": ["
        + (0..<3_000).map { "[\($0).5,1,2]" }.joined(separator: ",") + "]}"

    /// What Python packed, one line of hex for each expression.
    static func packed(_ expressions: [String]) async throws -> [ByteBuffer] {
        let script = """
            import gzip, zlib
            def raw(data, level=9, strategy=0):
                c = zlib.compressobj(level, zlib.DEFLATED, -15, 8, strategy)
                return c.compress(data) + c.flush()
            body = b'{"features": [' + b','.join(b'[%d.5,1,2]' % n for n in range(3000)) + b']}'
            for packed in [\(expressions.joined(separator: ", "))]:
                print(packed.hex())
            """
        return try await Python.run(script).split(separator: "\n").map { line in
            let digits = Array(line.utf8)
            return ByteBuffer(
                bytes: stride(from: 0, to: digits.count - 1, by: 2).map {
                    UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16) ?? 0
                })
        }
    }

    @Test("Every way of packing unpacks to the same bytes")
    func waysOfPacking() async throws {
        let gzips = [
            "gzip.compress(body)", "gzip.compress(body[:100]) + gzip.compress(body[100:])",
        ]
        let deflates = [
            "zlib.compress(body)", "zlib.compress(body, 1)", "raw(body)", "raw(body, 0)",
            "raw(body, 9, zlib.Z_FIXED)", "raw(body, 9, zlib.Z_HUFFMAN_ONLY)",
            "raw(body, 9, zlib.Z_RLE)",
        ]
        let packed = try await Self.packed(gzips + deflates)
        #expect(packed.count == gzips.count + deflates.count)
        for (index, buffer) in packed.enumerated() {
            let encoding = index < gzips.count ? "gzip" : "Deflate"
            let plain = try ContentEncoding.unpack(buffer, encoding: encoding, limit: 10 << 20)
            #expect(plain == ByteBuffer(string: Self.body), "\((gzips + deflates)[index])")
        }
    }

    @Test("Bombs stop at the limit; truncated and damaged bodies are refused")
    func hostile() async throws {
        let packed = try await Self.packed([
            "gzip.compress(bytes(50_000_000))", "gzip.compress(bytes(2_000_000), 1)",
            "gzip.compress(body)",
        ])
        for bomb in packed.prefix(2) {
            #expect(throws: ContentEncoding.Failure.tooLarge) {
                try ContentEncoding.unpack(bomb, encoding: "gzip", limit: 10 << 20)
            }
        }
        let whole = Array(packed[2].readableBytesView)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            var bytes = whole
            if Bool.random(using: &generator) {
                bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
            } else {
                // Bytes 4 to 9 hold a time, flags and a system: they may be anything.
                let at = Int.random(in: 10..<bytes.count, using: &generator)
                bytes[at] ^= UInt8.random(in: 1...255, using: &generator)
            }
            #expect(throws: ContentEncoding.Failure.self) {
                try ContentEncoding.unpack(
                    ByteBuffer(bytes: bytes), encoding: "gzip", limit: 10 << 20)
            }
        }
    }

    @Test("A packed prediction is answered, an unknown encoding refused")
    func endToEnd() async throws {
        let packed = try await Self.packed(["gzip.compress(body)"])
        try await RunningGateway.with(try HTTPTests.folder()) { gateway in
            let client = try gateway.client()
            let reply = try await client.call(
                "POST", "/predict", bytes: Array(packed[0].readableBytesView),
                headers: ["Content-Encoding": "gzip"])
            #expect(reply.status == 200)
            #expect(PredictionTests.predictions(in: reply.text).count == 3_000)
            let unknown = try await gateway.predict(
                HTTPTests.row, headers: ["Content-Encoding": "br"])
            #expect(unknown.status == 415)
            let broken = try await gateway.predict(
                HTTPTests.row, headers: ["Content-Encoding": "gzip"])
            #expect(broken.status == 400)
        }
    }
}
