import Foundation

/// The JSON in which stores keep what they only hand back.
enum StoreCoding {
    /// - Throws: `.corrupt`, for a value that JSON cannot hold.
    static func encode(_ value: some Encodable) throws(JobStoreError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return [UInt8](try encoder.encode(value)) } catch {
            throw .corrupt("\(type(of: value)) cannot be written: \(error)")
        }
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8]
    ) throws(JobStoreError) -> Value {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw .corrupt("\(type) cannot be read: \(error)")
        }
    }
}
