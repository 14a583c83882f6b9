// swift-tools-version: 6.0
import PackageDescription

/// A job of several files: `job submit jobs/pi -- --points 1000000`.
let package = Package(
    name: "pi",
    dependencies: [
        // For editors; on the cluster the worker brings Manta along.
        .package(name: "manta", path: "../..")
    ],
    targets: [
        .target(name: "Dartboard"),
        .executableTarget(
            name: "pi",
            dependencies: ["Dartboard", .product(name: "MantaSDK", package: "manta")]),
    ]
)
