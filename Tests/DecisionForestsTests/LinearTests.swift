import Foundation
import Testing

@testable import DecisionForests

@Suite("Linear models over OpenBLAS find scikit-learn's coefficients")
struct LinearTests {
    private struct Answer: Decodable {
        let coefficients: [[Double]]
        let intercepts: [Double]
    }

    private func theirs(_ kind: String, _ data: Dataset) async throws -> Answer {
        let folder = try ScratchFolder()
        var text = (data.featureNames + ["y"]).joined(separator: ",") + "\n"
        for row in 0..<data.rowCount {
            text += data.columns.map { "\(Double($0[row]))," }.joined()
            switch data.target {
            case .classes(_, let indices): text += "\(indices[row])\n"
            case .values(let values): text += "\(Double(values[row]))\n"
            }
        }
        let csv = try folder.write(text, to: "data.csv")
        let output = folder.file("out")
        return try await LearningPython.run(
            "linear.py", [kind, csv, output], output: output, in: folder)
    }

    private func compare(_ model: LinearModel, _ answer: Answer, within tolerance: Double) throws {
        try #require(model.coefficients.count == answer.coefficients.count)
        for (mine, other) in zip(model.coefficients.joined(), answer.coefficients.joined()) {
            #expect(abs(mine - other) < tolerance * max(1, abs(other)))
        }
        for (mine, other) in zip(model.intercepts, answer.intercepts) {
            #expect(abs(mine - other) < tolerance * max(1, abs(other)))
        }
    }

    @Test("Ridge, on columns of very different scales")
    func ridge() async throws {
        let data = try SampleData.regression(rows: 120)
        var columns = data.columns
        columns[3] = columns[3].map { $0 * 1_000 + 5_000 }
        let scaled = try Dataset(
            columns: columns, featureNames: data.featureNames, target: data.target,
            targetName: "y")
        let model = try RidgeRegression(alpha: 2).fit(scaled)
        try await compare(model, theirs("ridge", scaled), within: 1e-8)
        #expect(try (model.evaluate(on: scaled)["r2"] ?? 0) > 0.5)
    }

    @Test("Logistic regression of two and of three classes", arguments: [2, 3])
    func logistic(classes: Int) async throws {
        let data = try makeClassification(
            samples: 200, features: 5, informative: 3, classes: classes, clustersPerClass: 1,
            scale: 4, seed: 12)
        let model = try LogisticRegression(inversePenalty: 0.5).fit(data)
        try await compare(model, theirs("logistic", data), within: 2e-4)
        #expect(try (model.evaluate(on: data)["accuracy"] ?? 0) > 0.7)
        let predictions = try model.predict(data.features)
        #expect(predictions.outputCount == classes)
        #expect(abs(predictions.scores(ofRow: 0).reduce(0, +) - 1) < 1e-6)
    }

    @Test("Missing values stand at the mean, weights count rows")
    func missingAndWeights() throws {
        let rows: [[Float]] = [[1], [2], [.nan], [4]]
        let data = try Dataset(
            features: FeatureMatrix(rows: rows), values: [1, 2, 3, 9], weights: [2, 1, 1, 0])
        let plain = try Dataset(
            features: FeatureMatrix(rows: [[1], [1], [2], [4.0 / 3]]), values: [1, 1, 2, 3])
        let a = try RidgeRegression(alpha: 0.5).fit(data)
        let b = try RidgeRegression(alpha: 0.5).fit(plain)
        #expect(abs(a.coefficients[0][0] - b.coefficients[0][0]) < 1e-6)
        #expect(abs(a.intercepts[0] - b.intercepts[0]) < 1e-6)
        let predicted = try a.predict(FeatureMatrix(rows: [[.nan], [4.0 / 3]])).scores
        #expect(abs(predicted[0] - predicted[1]) < 1e-6)
    }

    @Test("What has no one solution is refused, constant columns are not")
    func singular() throws {
        let twins = try Dataset(
            features: FeatureMatrix(rows: [[1, 2, 5], [2, 4, 5], [3, 6, 5]]), values: [1, 2, 3])
        #expect(throws: TrainingError.singular) { try RidgeRegression(alpha: 0).fit(twins) }
        let model = try RidgeRegression(alpha: 1).fit(twins)
        #expect(model.coefficients[0][2] == 0)
        #expect(throws: TrainingError.oneClass) {
            try LogisticRegression().fit(SampleData.columns([[1, 2]], classes: [1, 1]))
        }
        #expect(throws: ParameterError.self) { try RidgeRegression(alpha: -1) }
        #expect(throws: ParameterError.self) { try LogisticRegression(inversePenalty: 0) }
    }

    @Test("Products and Gram matrices are the plain sums")
    func products() throws {
        let blas = try BLAS.open()
        let left: [Double] = [1, 2, 3, 4, 5, 6]  // 3 × 2
        let right: [Double] = [1, 0, 2, 1, 1, 1]  // 3 × 2
        #expect(
            blas.transposedProduct(left, right, rows: 3, width: 2, columns: 2) == [12, 8, 16, 10])
        #expect(
            blas.product(left, [1, 2, 3, 4], rows: 3, inner: 2, columns: 2)
                == [7, 10, 15, 22, 23, 34])
        #expect(blas.gram(left, rows: 3, width: 2) == [35, 0, 44, 56])
        #expect(blas.gram([], rows: 0, width: 2) == [0, 0, 0, 0])
    }

    @Test("A missing library is named with the command that installs it")
    func missingLibrary() {
        let error = #expect(throws: BLASError.self) { try BLAS(library: "libnowhere.so.9") }
        #expect(error?.description.contains("libnowhere.so.9") == true)
        #expect(error?.description.hasSuffix("apt-get install libopenblas0") == true)
        #expect(throws: BLASError.self) { try BLAS(library: "libc.so.6") }
    }
}
