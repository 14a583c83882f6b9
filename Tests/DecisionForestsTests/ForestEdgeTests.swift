import DecisionForests
import Testing

@Suite("Forests on data at the edges")
struct ForestEdgeTests {
    private func oneTree(
        _ data: Dataset, maxDepth: Int? = nil, minSamplesLeaf: Int = 1
    ) throws -> Tree {
        let learner = try RandomForestClassifier(
            trees: 1, maxDepth: maxDepth, maxFeatures: .all, minSamplesLeaf: minSamplesLeaf,
            bootstrap: false)
        return try learner.grow(trees: 0..<1, on: data, threads: 1)[0]
    }

    @Test("A threshold stands halfway between the values that it parts")
    func midpoint() throws {
        let tree = try oneTree(SampleData.columns([[1, 2, 5, 6]], classes: [0, 0, 1, 1]))
        #expect(tree.splitFeature == [0, -1, -1])
        #expect(tree.threshold[0] == 3.5)
        #expect(tree.leftChild == [1, 0, 1])
        #expect(tree.leafValues == [1, 0, 0, 1])
    }

    @Test("Neighbouring float32 values can be parted")
    func neighbours() throws {
        let low: Float = 1
        let tree = try oneTree(SampleData.columns([[low, low.nextUp]], classes: [0, 1]))
        #expect(tree.threshold[0] == low)
    }

    @Test("Missing values go where they belong, when they tell the classes apart")
    func missingTells() throws {
        let missing = Float.nan
        let data = try SampleData.columns(
            [[missing, missing, 1, 2, 3, missing]], classes: [1, 1, 0, 0, 0, 1])
        let tree = try oneTree(data)
        #expect(tree.nodeCount == 3)
        #expect(tree.threshold[0] == .greatestFiniteMagnitude)
        #expect(!tree.missingGoesLeft[0])
        let left = try oneTree(
            SampleData.columns([[missing, 1, 2, 8, 9, 7]], classes: [0, 0, 0, 1, 1, 1]))
        #expect(left.threshold[0] == 4.5)
        #expect(left.missingGoesLeft[0])
    }

    @Test("Missing values unknown in training follow the greater part")
    func missingUnknown() throws {
        let tree = try oneTree(SampleData.columns([[1, 2, 3, 9]], classes: [0, 0, 0, 1]))
        #expect(tree.missingGoesLeft[0])
        let mirrored = try oneTree(SampleData.columns([[1, 7, 8, 9]], classes: [0, 1, 1, 1]))
        #expect(!mirrored.missingGoesLeft[0])
    }

    @Test("A column of missing values is constant")
    func allMissing() throws {
        let data = try SampleData.columns(
            [[.nan, .nan, .nan], [1, 2, 3]], classes: [0, 1, 1])
        #expect(try oneTree(data).splitFeature == [1, -1, -1])
    }

    @Test("Constant features are passed over until one varies")
    func constants() throws {
        let constant = [Float](repeating: 7, count: 6)
        let columns = Array(repeating: constant, count: 9) + [[1, 2, 3, 4, 5, 6]]
        let data = try SampleData.columns(columns, classes: [0, 0, 0, 1, 1, 1])
        let learner = try RandomForestClassifier(
            trees: 20, maxFeatures: .count(1), bootstrap: false)
        for tree in try learner.grow(trees: 0..<20, on: data) {
            #expect(tree.splitFeature == [9, -1, -1])
        }
    }

    @Test("Rows that cannot be told apart share a leaf")
    func duplicates() throws {
        let data = try SampleData.columns(
            [[1, 1, 1, 1], [2, 2, 2, 2]], classes: [0, 1, 1, 1])
        let tree = try oneTree(data)
        #expect(tree.nodeCount == 1)
        #expect(tree.leafValues == [0.25, 0.75])
    }

    @Test("One class, one row, two rows")
    func tiny() throws {
        let learner = try RandomForestClassifier(trees: 3)
        let oneClass = try learner.fit(SampleData.columns([[1, 2, 3]], classes: [4, 4, 4]))
        #expect(try oneClass.predict(FeatureMatrix(rows: [[9]])).labels == [.integer(4)])
        let oneRow = try learner.fit(SampleData.columns([[1]], classes: [4]))
        #expect(oneRow.ensemble.trees.allSatisfy { $0.nodeCount == 1 })
        let twoRows = try learner.fit(SampleData.columns([[1, 2]], classes: [0, 1]))
        #expect(try twoRows.predict(FeatureMatrix(rows: [[1]])).outputCount == 2)
    }

    @Test("Both sides of every split keep the rows they must", arguments: [1, 5, 20])
    func leafSize(minimum: Int) throws {
        let data = try SampleData.withMissing()
        let tree = try oneTree(data, minSamplesLeaf: minimum)
        var counts = [Int](repeating: 0, count: tree.nodeCount)
        for row in 0..<data.rowCount {
            var node = 0
            while tree.splitFeature[node] != Tree.leaf {
                let value = data.columns[Int(tree.splitFeature[node])][row]
                let goesLeft =
                    value.isNaN ? tree.missingGoesLeft[node] : value <= tree.threshold[node]
                node = Int(tree.leftChild[node]) + (goesLeft ? 0 : 1)
            }
            counts[node] += 1
        }
        for node in 0..<tree.nodeCount where tree.splitFeature[node] == Tree.leaf {
            #expect(counts[node] >= minimum)
        }
    }

    @Test("A tree that may grow answers its own rows rightly")
    func fitsItself() throws {
        let data = try SampleData.withMissing()
        let learner = try RandomForestClassifier(trees: 1, bootstrap: false)
        #expect(try learner.fit(data).evaluate(on: data)["accuracy"] == 1)
        let numbers = try SampleData.regression()
        let regressor = try RandomForestRegressor(trees: 1, bootstrap: false)
        #expect(try (regressor.fit(numbers).evaluate(on: numbers)["r2"] ?? 0) > 0.999_99)
    }

    @Test("Depth is bounded", arguments: [1, 3])
    func depth(limit: Int) throws {
        let tree = try oneTree(SampleData.withMissing(), maxDepth: limit)
        var depth = [Int](repeating: 0, count: tree.nodeCount)
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            depth[Int(tree.leftChild[node])] = depth[node] + 1
            depth[Int(tree.leftChild[node]) + 1] = depth[node] + 1
        }
        #expect(depth.max() == limit)
    }

    @Test("A weight of two is a row that stands twice")
    func weights() throws {
        let rows: [[Float]] = [[1], [2], [3], [4], [5]]
        let labels: [ClassLabel] = [0, 1, 0, 1, 1].map { .integer($0) }
        let weighted = try Dataset(
            features: FeatureMatrix(rows: rows), labels: labels, weights: [2, 1, 1, 3, 0])
        let repeated = try Dataset(
            features: FeatureMatrix(rows: [[1], [1], [2], [3], [4], [4], [4]]),
            labels: [0, 0, 1, 0, 1, 1, 1].map { .integer($0) })
        #expect(try oneTree(weighted, maxDepth: 1) == oneTree(repeated, maxDepth: 1))
        let none = try Dataset(
            features: FeatureMatrix(rows: rows), labels: labels, weights: [0, 0, 0, 0, 0])
        #expect(throws: TrainingError.noWeight) { try RandomForestClassifier().fit(none) }
    }

    @Test("Balanced classes count alike at the root")
    func balanced() throws {
        let data = try SampleData.columns(
            [[1, 1, 1, 1, 1, 1]], classes: [0, 0, 0, 0, 1, 1])
        let learner = try RandomForestClassifier(
            trees: 1, bootstrap: false, classWeight: .balanced)
        #expect(try learner.grow(trees: 0..<1, on: data)[0].leafValues == [0.5, 0.5])
        let named = try RandomForestClassifier(
            trees: 1, bootstrap: false, classWeight: .perClass([.integer(1): 6]))
        #expect(try named.grow(trees: 0..<1, on: data)[0].leafValues == [0.25, 0.75])
    }

    @Test("A target far from zero loses nothing")
    func offsetTarget() throws {
        let data = try Dataset(
            features: FeatureMatrix(rows: [[1], [2], [3], [4]]),
            values: [1_000_001, 1_000_001, 1_000_002, 1_000_003])
        let learner = try RandomForestRegressor(trees: 1, bootstrap: false)
        let tree = try learner.grow(trees: 0..<1, on: data)[0]
        #expect(Set(tree.leafValues) == [1_000_001, 1_000_002, 1_000_003])
    }

    @Test("The wrong kind of target, no rows and missing trees are named")
    func refused() throws {
        let classes = try SampleData.withMissing(rows: 20)
        let numbers = try SampleData.regression(rows: 20)
        let classifier = try RandomForestClassifier(trees: 2)
        #expect(throws: TrainingError.targetHoldsNumbers(target: "y")) {
            try classifier.fit(numbers)
        }
        #expect(throws: TrainingError.targetHoldsClasses(target: "target")) {
            try RandomForestRegressor().fit(classes)
        }
        #expect(throws: TrainingError.noRows) { try classifier.fit(classes.subset(rows: [])) }
        #expect(throws: TrainingError.treeCount(expected: 2, found: 0)) {
            try classifier.model(from: [], trainedOn: classes)
        }
    }
}
