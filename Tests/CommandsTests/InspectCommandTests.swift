import DecisionForests
import Foundation
import Testing

@testable import Commands

@Suite struct InspectCommandTests {
    @Test("A model directory shows its learner, features, trees and digest")
    func inspect() async throws {
        let place = try TestPlace()
        let manta = MantaProgram(place: place)
        try place.writeTable()
        let trained = try await manta(
            "train", "--data", "data.csv", "--target", "y", "--param", "trees=3", "--param",
            "max_depth=2", "--model", "m", "--json")
        let said = try await manta("inspect", "m", "--json", "--trees", "2")
        try #require(said.code == 0, "\(said)")
        let summary = try said.json()
        #expect(summary["learner"] as? String == "RandomForestClassifier")
        #expect(summary["classes"] as? [String] == ["no", "yes"])
        #expect(summary["digest"] as? String == (try trained.json()["digest"] as? String))
        let trees = try #require(summary["trees"] as? [String: Any])
        #expect(trees["count"] as? Int == 3 && trees["depth_max"] as? Int == 2)
        let features = try #require(summary["features"] as? [[String: Any]])
        #expect(features.compactMap { $0["name"] as? String } == ["a", "b", "c", "d"])
        let splits = features.compactMap { $0["splits"] as? Int }.reduce(0, +)
        let nodes = try #require(trees["nodes"] as? Int)
        let leaves = try #require(trees["leaves"] as? Int)
        #expect(splits == nodes - leaves)
        #expect((summary["first_trees"] as? [[String: Int]])?.count == 2)
        #expect((summary["recipe"] as? [String: Any])?["target"] as? String == "y")
        let text = try await manta("inspect", "m")
        #expect(text.out.contains("FEATURE") && text.out.contains("max_depth"))
    }

    @Test("One tree is printed as text; one that is not there is exit code 3")
    func tree() async throws {
        let place = try TestPlace()
        let manta = MantaProgram(place: place)
        try place.writeTable()
        _ = try await manta(
            "train", "--data", "data.csv", "--target", "y", "--param", "trees=3", "--param",
            "max_depth=2", "--model", "m")
        let said = try await manta("inspect", "m", "--tree", "1")
        #expect(said.code == 0 && said.out.contains(" <= ") && said.out.contains("yes: "))
        #expect(try await manta("inspect", "m", "--tree", "3").code == 3)
        #expect(try await manta("inspect", "nothing").code == 3)
    }

    @Test("Tests of categories and of weighted sums are spelled out")
    func treeText() {
        var sets = CategorySets.none
        let set = sets.append([0, 2])
        var projections = Projections.none
        let projection = projections.append(features: [1, 0], weights: [0.5, -2])
        let tree = Tree(
            splitFeature: [0, Int32(-2 - projection), -1, -1, -1], threshold: [0, 1.5, 0, 0, 0],
            missingGoesLeft: [true, false, false, false, false], leftChild: [1, 3, 0, 1, 2],
            leafValues: [1, 2, 3], categorySet: [set, -1, -1, -1, -1], categorySets: sets,
            projections: projections)
        let model = TrainedModel(
            ensemble: TreeEnsemble(featureCount: 2, outputCount: 1, trees: [tree]),
            featureNames: ["colour", "size"],
            featureKinds: [.categorical(levels: ["red", "green", "blue"]), .numeric],
            targetName: "y", task: .regression, learner: "Test", parameters: [],
            trainingRowCount: 3)
        #expect(
            TreeText(model: model, tree: tree).render() == """
                colour in {red, blue} (missing: yes)
                  yes: 0.5·size + -2.0·colour <= 1.5
                    yes: -> 2.0
                    no: -> 3.0
                  no: -> 1.0

                """)
        #expect(TreeStatistics.splitCounts(of: model.ensemble) == [2, 1])
        #expect(TreeStatistics(tree).depth == 2 && TreeStatistics(tree).leaves == 3)
    }
}
