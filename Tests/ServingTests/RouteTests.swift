import Foundation
import Testing

@testable import Serving

/// Where paths lead, without a server.
@Suite struct RouteTests {
    static func match(_ path: String, _ method: String = "GET") -> Route.Match {
        Route.match(path[...], method: method, prefixes: ["/app", ""])
    }

    @Test("Names in a path are found below every prefix, escapes resolved")
    func names() {
        #expect(
            Self.match("/app/v2/models/a%20b/versions/3/infer", "POST")
                == .found(
                    .inferVersion, prefix: "/app", names: .init(model: "a b", version: "3")))
        #expect(
            Self.match("/v1/models/a:predict", "POST")
                == .found(.kservePredict, prefix: "", names: .init(model: "a")))
        #expect(
            Self.match("/v1/models/a")
                == .found(.kserveModel, prefix: "", names: .init(model: "a")))
        #expect(
            Self.match("/v2/models/stats") == .found(.inferStatistics, prefix: "", names: .init()))
    }

    @Test("Empty, over-long and malformed names lead nowhere")
    func noNames() {
        let long = String(repeating: "a", count: 257)
        for path in [
            "/v2/models/", "/v2/models//ready", "/v2/models/%zz", "/v2/models/%ff",
            "/v2/models/\(long)", "/v1/models/:predict/x", "/v2/models/a/b/c",
        ] {
            let match = Self.match(path)
            #expect(match == .notFound || match == .redirect("/v2/models"), "\(path)")
        }
    }

    @Test("The document tells every route, with its places and a body where it takes one")
    func document() throws {
        let json = OpenAPIDocument.json(version: "1", server: "/", needsToken: true)
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        let hidden: Set<Route> = [.openAPI, .docs, .docsScript]
        for route in Route.allCases where !hidden.contains(route) {
            let operation = try #require(
                paths[route.rawValue]?[route.method.lowercased()], "\(route)")
            let places = (operation["parameters"] as? [[String: Any]] ?? []).compactMap {
                $0["name"] as? String
            }
            #expect(places.count == route.rawValue.count { $0 == "{" })
            #expect((operation["requestBody"] != nil) == (route.method == "POST"))
            #expect((operation["security"] != nil) == route.isChanging)
        }
        let ids = paths.values.flatMap(\.values).compactMap { $0["operationId"] as? String }
        #expect(Set(ids).count == ids.count)
        let text = String(decoding: json, as: UTF8.self)
        let schemas = (document["components"] as? [String: [String: Any]])?["schemas"] ?? [:]
        for piece in text.components(separatedBy: "#/components/schemas/").dropFirst() {
            #expect(schemas[String(piece.prefix { $0.isLetter })] != nil)
        }
    }
}
