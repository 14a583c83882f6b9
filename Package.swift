// swift-tools-version: 6.2
import PackageDescription

/// One room of the house: a SwiftPM target and exactly what it may use.
///
/// `uses` names other rooms and C modules, `products` third-party libraries. `Tests/TidyTests`
/// holds every file's imports against this table, because the compiler would let a transitive one
/// slip in.
struct Room {
    let name: String
    var uses: [String] = []
    var products: [Product] = []
    /// What the room's test target needs besides the room itself and `TestSupport`.
    var testUses: [String] = []
    var hasTests = true
    /// The least x86-64 level that the room is compiled for. Its sources are another room's, by a
    /// link, and it runs only where `KernelChoice` has seen that it can.
    var march: String?

    enum Product: String {
        case argumentParser = "ArgumentParser"
        case collections = "Collections"
        case crypto = "Crypto"
        case httpTypes = "HTTPTypes"
        case hummingbird = "Hummingbird"
        case hummingbirdTesting = "HummingbirdTesting"
        case logging = "Logging"
        case nioCore = "NIOCore"
        case nioHTTP1 = "NIOHTTP1"
        case serviceLifecycle = "ServiceLifecycle"
        case yams = "Yams"

        var package: String {
            switch self {
            case .argumentParser: "swift-argument-parser"
            case .collections: "swift-collections"
            case .crypto: "swift-crypto"
            case .httpTypes: "swift-http-types"
            case .hummingbird, .hummingbirdTesting: "hummingbird"
            case .logging: "swift-log"
            case .nioCore, .nioHTTP1: "swift-nio"
            case .serviceLifecycle: "swift-service-lifecycle"
            case .yams: "Yams"
            }
        }

        var url: String {
            switch self {
            case .hummingbird, .hummingbirdTesting:
                "https://github.com/hummingbird-project/hummingbird.git"
            case .yams: "https://github.com/jpsim/Yams.git"
            case .serviceLifecycle:
                "https://github.com/swift-server/swift-service-lifecycle.git"
            default: "https://github.com/apple/\(package).git"
            }
        }

        var version: Version {
            switch self {
            case .argumentParser: "1.5.0"
            case .collections: "1.1.0"
            case .crypto: "4.0.0"
            case .httpTypes: "1.4.0"
            case .hummingbird, .hummingbirdTesting: "2.28.0"
            case .logging: "1.6.0"
            case .nioCore, .nioHTTP1: "2.100.0"
            case .serviceLifecycle: "2.6.0"
            case .yams: "6.0.0"
            }
        }
    }
}

let cModules: [String: Target] = [
    "CHiredis": .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    "CCurl": .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    "COpenBLAS": .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
    "CLinuxProcess": .systemLibrary(name: "CLinuxProcess"),
    "CLanes": .systemLibrary(name: "CLanes"),
    "CProcessor": .systemLibrary(name: "CProcessor"),
    "CZlib": .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
]

let rooms: [Room] = [
    // The hot loops of learning and prediction: pure arithmetic, compiled three times.
    Room(name: "ForestKernels", uses: ["CLanes"], hasTests: false),
    Room(
        name: "ForestKernelsAVX2", uses: ["CLanes"], hasTests: false,
        march: "x86-64-v3"),
    Room(
        name: "ForestKernelsAVX512", uses: ["CLanes"], hasTests: false,
        march: "x86-64-v4"),
    // Foundations: they do not know each other.
    Room(name: "Redis", uses: ["CHiredis"]),
    Room(name: "HTTPClient", uses: ["CCurl"]),
    Room(
        name: "DecisionForests",
        uses: [
            "COpenBLAS", "CProcessor", "CZlib", "ForestKernels", "ForestKernelsAVX2",
            "ForestKernelsAVX512",
        ]),
    Room(
        name: "Telemetry", products: [.logging]),
    Room(name: "JobChannel"),
    Room(name: "Processes", uses: ["CLinuxProcess"]),
    // What stands on one or two of them.
    Room(name: "ModelFormats", uses: ["DecisionForests"], products: [.crypto, .yams]),
    Room(name: "MLflow", uses: ["HTTPClient"]),
    Room(name: "S3", uses: ["HTTPClient"], products: [.crypto]),
    Room(name: "Jobs", uses: ["Redis", "S3"], products: [.crypto]),
    // Runs the stores' and workers' decisions in virtual time; nothing of it is in the binary.
    Room(name: "Simulation", uses: ["Jobs", "JobChannel"], testUses: ["Redis"]),
    Room(
        name: "Cluster",
        uses: ["Jobs", "JobChannel", "HTTPClient", "Telemetry", "Processes"],
        products: [.hummingbird, .httpTypes, .nioCore, .logging, .crypto]),
    Room(
        name: "Manta",
        uses: ["JobChannel", "DecisionForests", "ModelFormats", "MLflow", "HTTPClient"],
        products: [.argumentParser, .crypto]),
    Room(
        name: "Serving",
        uses: ["ModelFormats", "DecisionForests", "MLflow", "Telemetry"],
        products: [.hummingbird, .nioCore, .nioHTTP1, .serviceLifecycle, .logging, .crypto]),
    Room(
        name: "Commands",
        uses: [
            "Cluster", "Serving", "Jobs", "MLflow", "HTTPClient", "Telemetry", "Processes",
            "DecisionForests", "ModelFormats",
        ],
        products: [.argumentParser, .logging, .crypto]),
]

#if arch(x86_64)
    let isX86 = true
#else
    let isX86 = false
#endif

let wanted = Context.environment["MANTA_ROOMS"].flatMap { text in
    text.isEmpty ? nil : Set(text.split(separator: ",").map(String.init))
}

/// `MANTA_ROOMS=Jobs,JobChannel swift test` builds only those rooms and what they stand on, so that
/// an edit in one of them costs seconds; nothing else of the package is fetched or compiled.
/// `EndToEnd` and `Tidy` name the tests that belong to no room.
let chosen: [Room] = {
    guard var names = wanted else { return rooms }
    if names.contains("EndToEnd") { names.insert("HTTPClient") }
    for room in rooms.reversed() where names.contains(room.name) {
        names.formUnion(room.uses + room.testUses)
    }
    return rooms.filter { names.contains($0.name) }
}()
let testedRooms = wanted ?? Set(rooms.filter(\.hasTests).map(\.name))

var targets: [Target] = []
let cNames = Set(chosen.flatMap(\.uses)).union(["CLinuxProcess"])
targets += cNames.sorted().compactMap { cModules[$0] }

for room in chosen {
    var settings: [SwiftSetting] = [
        .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
    ]
    if let march = room.march, isX86 { settings.append(.unsafeFlags(["-Xcc", "-march=\(march)"])) }
    targets.append(
        .target(
            name: room.name,
            dependencies: room.uses.map { .byName(name: $0) }
                + room.products.map { .product(name: $0.rawValue, package: $0.package) },
            swiftSettings: settings))
    if testedRooms.contains(room.name) {
        targets.append(
            .testTarget(
                name: room.name + "Tests",
                dependencies: [.byName(name: room.name), "TestSupport"]
                    + (room.uses.filter { cModules[$0] == nil } + room.testUses)
                    .map { .byName(name: $0) }
                    + room.products.filter { $0 != .hummingbird }
                    .map { .product(name: $0.rawValue, package: $0.package) }
                    + (room.products.contains(.hummingbird)
                        ? [
                            .product(name: "Hummingbird", package: "hummingbird"),
                            .product(name: "HummingbirdTesting", package: "hummingbird"),
                        ] : []),
                swiftSettings: settings.dropLast() + []))
    }
}

/// Starts the real programs tests run against: redis-server, MLflow, our own binary.
targets.append(
    .target(
        name: "TestSupport", dependencies: ["Processes"], path: "Tests/TestSupport",
        swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]))
if !chosen.contains(where: { $0.name == "Processes" }) {
    targets.append(
        .target(
            name: "Processes", dependencies: ["CLinuxProcess"],
            swiftSettings: [
                .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]))
}

targets.append(
    .executableTarget(
        name: "guard-program", dependencies: ["Processes"], path: "Tests/GuardProgram",
        swiftSettings: [.swiftLanguageMode(.v6)]))

var products: [PackageDescription.Product] = []
if chosen.contains(where: { $0.name == "Manta" }) {
    // What a compiled job links: every room a script may reach, as one shared library.
    products.append(.library(name: "MantaSDK", type: .dynamic, targets: ["Manta"]))
}
if chosen.contains(where: { $0.name == "DecisionForests" }) {
    // Trains from a CSV and prints figures as JSON: what script/bench sets beside other libraries.
    targets.append(
        .executableTarget(
            name: "learning-bench", dependencies: ["DecisionForests"], path: "Benchmarks/Learning",
            swiftSettings: [.swiftLanguageMode(.v6)]))
}
if chosen.contains(where: { $0.name == "ModelFormats" }) {
    // What it costs to load a model: `script/bench load`.
    targets.append(
        .executableTarget(
            name: "load-bench", dependencies: ["DecisionForests", "ModelFormats"],
            path: "Benchmarks/Load", swiftSettings: [.swiftLanguageMode(.v6)]))
}
if chosen.contains(where: { $0.name == "Simulation" }) {
    // Replays a history of a simulated cluster, or runs many: `script/simulate`.
    targets.append(
        .executableTarget(
            name: "simulate", dependencies: ["Simulation"], path: "Benchmarks/Simulate",
            swiftSettings: [.swiftLanguageMode(.v6)]))
}
if chosen.contains(where: { $0.name == "Commands" }) {
    targets.append(
        .executableTarget(
            name: "manta", dependencies: ["Commands", "Processes"], path: "Sources/manta-main",
            swiftSettings: [.swiftLanguageMode(.v6)]))
    products.append(.executable(name: "manta", targets: ["manta"]))
}
if wanted?.contains("EndToEnd") ?? true {
    targets.append(
        .testTarget(
            name: "EndToEndTests", dependencies: ["TestSupport", "HTTPClient"],
            swiftSettings: [.swiftLanguageMode(.v6)]))
}
if wanted?.contains("Tidy") ?? true {
    targets.append(
        .testTarget(
            name: "TidyTests", dependencies: ["TestSupport"],
            swiftSettings: [.swiftLanguageMode(.v6)]
        ))
}

var packages: [String: Package.Dependency] = [:]
for product in chosen.flatMap(\.products) {
    packages[product.package] = .package(url: product.url, from: product.version)
}

let package = Package(
    name: "manta",
    platforms: [.macOS(.v15)],
    products: products,
    dependencies: packages.keys.sorted().compactMap { packages[$0] },
    targets: targets
)
