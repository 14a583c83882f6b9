/// Builds an ONNX model from nodes, constants and values, field numbers and all.
///
/// Names and numbers follow `onnx.proto` (IR version 8). Only what `ONNXWriter` needs is here.
struct ONNXGraph {
    /// `TensorProto.DataType`.
    enum ElementType: Int64 {
        case float = 1
        case int64 = 7
        case string = 8
        case boolean = 9
        case double = 11
    }

    enum Attribute {
        case integer(Int64)
        case integers([Int64])
        case string(String)
        case strings([String])
        case float(Float)
        case floats([Float])
        case double(Double)
        case doubles([Double])
    }

    /// A dimension with a fixed extent, or one that varies from call to call.
    enum Dimension {
        case fixed(Int)
        case named(String)
    }

    static let irVersion: Int64 = 8
    static let treeDomain = "ai.onnx.ml"
    private static let operatorSets: [(domain: String, version: Int64)] = [
        ("", 17), (treeDomain, 3),
    ]

    private var nodes: [[UInt8]] = []
    private var constants: [[UInt8]] = []
    private var inputs: [[UInt8]] = []
    private var outputs: [[UInt8]] = []

    mutating func addNode(
        _ operation: String, _ inputs: [String], _ outputs: [String], domain: String = "",
        attributes: [(name: String, value: Attribute)] = []
    ) {
        var node = ProtobufWriter()
        inputs.forEach { node.string(1, $0) }
        outputs.forEach { node.string(2, $0) }
        node.string(3, outputs.first ?? operation)
        node.string(4, operation)
        for (name, value) in attributes {
            node.message(5) { Self.write(name, value, to: &$0) }
        }
        if !domain.isEmpty { node.string(7, domain) }
        nodes.append(node.bytes)
    }

    /// A node with one output, whose name it returns.
    @discardableResult
    mutating func add(
        _ operation: String, _ inputs: [String], as output: String, domain: String = "",
        attributes: [(name: String, value: Attribute)] = []
    ) -> String {
        addNode(operation, inputs, [output], domain: domain, attributes: attributes)
        return output
    }

    /// A node that changes a value's element type; its output's name.
    mutating func addCast(_ input: String, to type: ElementType, as output: String) -> String {
        add("Cast", [input], as: output, attributes: [("to", .integer(type.rawValue))])
    }

    /// A constant; `dimensions` is empty for a scalar.
    mutating func addConstant(_ name: String, dimensions: [Int], _ values: Attribute) {
        constants.append(Self.tensor(named: name, dimensions: dimensions, values))
    }

    mutating func addInput(_ name: String, _ type: ElementType, _ shape: [Dimension]) {
        inputs.append(Self.valueInfo(name, type, shape))
    }

    mutating func addOutput(_ name: String, _ type: ElementType, _ shape: [Dimension]) {
        outputs.append(Self.valueInfo(name, type, shape))
    }

    /// The whole `ModelProto`.
    func encode(name: String, producer: String, metadata: [(key: String, value: String)]) -> [UInt8]
    {
        var graph = ProtobufWriter()
        nodes.forEach { graph.data(1, $0) }
        graph.string(2, name)
        constants.forEach { graph.data(5, $0) }
        inputs.forEach { graph.data(11, $0) }
        outputs.forEach { graph.data(12, $0) }
        var model = ProtobufWriter()
        model.integer(1, Self.irVersion)
        model.string(2, producer)
        model.data(7, graph.bytes)
        for (domain, version) in Self.operatorSets {
            model.message(8) {
                $0.string(1, domain)
                $0.integer(2, version)
            }
        }
        for (key, value) in metadata {
            model.message(14) {
                $0.string(1, key)
                $0.string(2, value)
            }
        }
        return model.bytes
    }

    private static func write(
        _ name: String, _ value: Attribute, to attribute: inout ProtobufWriter
    ) {
        attribute.string(1, name)
        switch value {
        case .integer(let value):
            attribute.integer(3, value)
            attribute.integer(20, 2)
        case .string(let value):
            attribute.string(4, value)
            attribute.integer(20, 3)
        case .doubles(let values):
            attribute.data(5, tensor(named: name, dimensions: [values.count], .doubles(values)))
            attribute.integer(20, 4)
        case .integers(let values):
            attribute.integers(8, values)
            attribute.integer(20, 7)
        case .strings(let values):
            values.forEach { attribute.string(9, $0) }
            attribute.integer(20, 8)
        case .float(let value):
            attribute.float(2, value)
            attribute.integer(20, 1)
        case .floats(let values):
            attribute.floats(7, values)
            attribute.integer(20, 6)
        case .double(let value):
            attribute.data(5, tensor(named: name, dimensions: [], .double(value)))
            attribute.integer(20, 4)
        }
    }

    private static func tensor(
        named name: String, dimensions: [Int], _ values: Attribute
    ) -> [UInt8] {
        var tensor = ProtobufWriter()
        tensor.integers(1, dimensions.map(Int64.init))
        switch values {
        case .integer(let value):
            tensor.integer(2, ElementType.int64.rawValue)
            tensor.integers(7, [value])
        case .integers(let values):
            tensor.integer(2, ElementType.int64.rawValue)
            tensor.integers(7, values)
        case .string(let value):
            tensor.integer(2, ElementType.string.rawValue)
            tensor.string(6, value)
        case .strings(let values):
            tensor.integer(2, ElementType.string.rawValue)
            values.forEach { tensor.string(6, $0) }
        case .float(let value):
            tensor.integer(2, ElementType.float.rawValue)
            tensor.floats(9, [value])
        case .floats(let values):
            tensor.integer(2, ElementType.float.rawValue)
            tensor.floats(9, values)
        case .double(let value):
            tensor.integer(2, ElementType.double.rawValue)
            tensor.data(9, littleEndianBytes(of: [value]))
        case .doubles(let values):
            tensor.integer(2, ElementType.double.rawValue)
            tensor.data(9, littleEndianBytes(of: values))
        }
        tensor.string(8, name)
        return tensor.bytes
    }

    private static func valueInfo(
        _ name: String, _ type: ElementType, _ shape: [Dimension]
    ) -> [UInt8] {
        var info = ProtobufWriter()
        info.string(1, name)
        info.message(2) { typeMessage in
            typeMessage.message(1) { tensorType in
                tensorType.integer(1, type.rawValue)
                tensorType.message(2) { shapeMessage in
                    for dimension in shape {
                        shapeMessage.message(1) {
                            switch dimension {
                            case .fixed(let count): $0.integer(1, Int64(count))
                            case .named(let name): $0.string(2, name)
                            }
                        }
                    }
                }
            }
        }
        return info.bytes
    }

    private static func littleEndianBytes(of values: [Double]) -> [UInt8] {
        let words = values.map(\.bitPattern.littleEndian)
        return words.withUnsafeBytes { Array($0) }
    }
}
