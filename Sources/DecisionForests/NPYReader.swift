/// Reads two-dimensional NPY files, rows of all parts one after the other.
///
/// The target is one of the columns ("column_3", "3", "-1" for the last) or a file of its own with
/// one number per row.
struct NPYReader {
    private let parts: [DataPart]
    private var options: ReadOptions

    init(_ parts: [DataPart], options: ReadOptions) throws(DatasetError) {
        self.parts = parts
        self.options = options
        // Columns without names are named and numbered like those of a CSV without a header.
        self.options.hasHeader = false
        guard options.categorical.isEmpty,
            options.featureKinds.values.allSatisfy({ $0 == .numeric })
        else { throw .shape("the columns of an NPY file are numbers; none can be categorical") }
    }

    /// The data set of all parts.
    func dataset() throws(DatasetError) -> Dataset {
        let width = try shape(of: NPYArray(parts[0], limits: options.limits), parts[0]).columns
        let names = (0..<width).map { ReadOptions.columnName($0) }
        let targetIndex = CSVPlan.column(options.target, in: names, options: options)
        var plan = try roles(names, targetIndex)
        for part in parts { try read(part, &plan) }
        if targetIndex == nil { plan.target = try readTarget(rowCount: plan.rowCount) }
        guard plan.rowCount > 0 else {
            throw .unreadable(file: parts[0].name, reason: "it has no rows")
        }
        let features = plan.roles.indices.filter { plan.roles[$0] == .feature }
        return try Dataset(
            columns: features.map { plan.columns[$0] }, featureNames: features.map { names[$0] },
            target: plan.target.target(task: options.task), targetName: options.target,
            weights: options.weight == nil ? nil : plan.weights,
            groups: options.group == nil ? nil : plan.groups)
    }

    /// What has been read so far.
    private struct Plan {
        /// What each column is for; nil: nothing.
        var roles: [CSVColumn.Role?]
        var columns: [[Float]]
        var target = NumberTarget()
        var weights: [Float] = []
        var groups: [Int32] = []
        var rowCount = 0
    }

    private func roles(_ names: [String], _ target: Int?) throws(DatasetError) -> Plan {
        var roles: [CSVColumn.Role?] = Array(repeating: .feature, count: names.count)
        func give(_ name: String?, _ role: CSVColumn.Role?) throws(DatasetError) {
            guard let name else { return }
            guard let index = CSVPlan.column(name, in: names, options: options) else {
                throw .header(file: parts[0].name, problem: "there is no column '\(name)'")
            }
            guard roles[index] == .feature else {
                throw .header(file: parts[0].name, problem: "column '\(name)' has two uses")
            }
            roles[index] = role
        }
        if let target { roles[target] = .target }
        try give(options.weight, .weight)
        try give(options.group, .group)
        for name in options.ignore { try give(name, nil) }
        return Plan(roles: roles, columns: Array(repeating: [], count: names.count))
    }

    private func shape(
        of array: NPYArray, _ part: DataPart
    ) throws(DatasetError) -> (rows: Int, columns: Int) {
        let shape = array.header.shape
        guard shape.count == 2, (1...CSVDialect.columnCountMax).contains(shape[1]) else {
            throw .unreadable(
                file: part.name,
                reason: "its shape is \(shape); rows and columns are needed, at most "
                    + "\(CSVDialect.columnCountMax) of these")
        }
        return (shape[0], shape[1])
    }

    private func read(_ part: DataPart, _ plan: inout Plan) throws(DatasetError) {
        let array = try NPYArray(part, limits: options.limits)
        let (rows, width) = try shape(of: array, part)
        guard width == plan.roles.count else {
            throw .header(
                file: part.name,
                problem: "it has \(width) columns, \(parts[0].name) has \(plan.roles.count)")
        }
        guard rows <= options.limits.rows - plan.rowCount else {
            throw .unreadable(file: part.name, reason: "more than \(options.limits.rows) rows")
        }
        let element = array.header.element
        // Which columns' turn it is follows from the order; columns grow with what is really read.
        var column = 0
        var left = array.header.isColumnMajor ? rows : 1
        try array.read(rows * width) { bytes, _, count throws(DatasetError) in
            for index in 0..<count {
                while left == 0 {
                    column = (column + 1) % width
                    left = array.header.isColumnMajor ? rows : 1
                }
                try Self.take(bytes + index * element.size, element, column, &plan)
                left -= 1
            }
        }
        try array.expectEnd()
        plan.rowCount += rows
    }

    @inline(__always)
    private static func take(
        _ bytes: UnsafePointer<UInt8>, _ element: NPYHeader.Element, _ column: Int,
        _ plan: inout Plan
    ) throws(DatasetError) {
        switch plan.roles[column] {
        case .feature: plan.columns[column].append(element.float(bytes))
        case .target: plan.target.append(element.float(bytes), integer: element.integer(bytes))
        case .weight: plan.weights.append(element.float(bytes))
        case .group:
            guard let group = element.integer(bytes).flatMap({ Int32(exactly: $0) }) else {
                throw .shape("a group of column \(column) is no whole number below 2^31")
            }
            plan.groups.append(group)
        case nil: break
        }
    }

    private func readTarget(rowCount: Int) throws(DatasetError) -> NumberTarget {
        guard options.target.hasSuffix(".npy") || options.target.hasSuffix(".npy.gz") else {
            throw .noTarget(
                file: parts[0].name, target: options.target,
                columns: ["column_0", "…", "the path of an NPY file"])
        }
        let part = DataPart.file(options.target)
        let array = try NPYArray(part, limits: options.limits)
        let shape = array.header.shape
        guard shape == [rowCount] || shape == [rowCount, 1] else {
            throw .unreadable(
                file: part.name, reason: "its shape is \(shape), there are \(rowCount) rows")
        }
        var target = NumberTarget()
        let element = array.header.element
        try array.read(rowCount) { bytes, _, count throws(DatasetError) in
            for index in 0..<count {
                let number = bytes + index * element.size
                target.append(element.float(number), integer: element.integer(number))
            }
        }
        try array.expectEnd()
        return target
    }
}
