// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "hone",
  products: [
    .executable(name: "hone", targets: ["hone"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-http-types.git", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    // The rooms, lowest first is JSON; a room imports only what its dependencies list.
    .target(name: "Compression", dependencies: ["CZlib", "Failures"]),
    // zlib, as the system has it.
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "Editing",
      dependencies: [
        "Evaluation", "Failures", "HTTPModels", "HoneService", "JSON", "JSONRPC", "Jobs", "LanguageModels", "Optimizers",
        "Programs", "Schema", "Traces", "Tracking",
      ]),
    .target(
      name: "Evaluation",
      dependencies: [
        "Failures", "JSON", "LanguageModels", "Programs", "Randomness", "Schema", "Traces",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(
      name: "Exchange",
      dependencies: [
        "Failures", "JSON", "LanguageModels", "Schema", "Traces", "Tracking",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),
    .target(
      name: "HoneService",
      dependencies: [
        "Evaluation", "Failures", "HTTPModels", "JSON", "Jobs", "JSONRPC", "LanguageModels", "Optimizers", "Programs", "Schema",
        "Traces", "Tracking",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "HoneWeb",
      dependencies: [
        "Compression", "Failures", "JSON", "LanguageModels", "Traces", "Tracking", "WebAssets",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "HTTPModels",
      dependencies: [
        "Failures", "JSON", "LanguageModels",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
      ]),
    .target(name: "Failures"),
    .target(
      name: "Jobs",
      dependencies: [
        "Evaluation", "Failures", "HTTPModels", "JSON", "LanguageModels", "Optimizers", "Programs", "Schema", "Traces", "Tracking",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(name: "JSON", dependencies: ["Failures"]),
    .target(name: "JSONRPC", dependencies: ["Failures", "JSON"]),
    .target(
      name: "LanguageModels",
      dependencies: ["Failures", "JSON", "Schema", .product(name: "Crypto", package: "swift-crypto")]),
    .target(
      name: "Optimizers",
      dependencies: ["Evaluation", "Failures", "JSON", "LanguageModels", "Programs", "Randomness", "Schema", "Traces"]),
    .target(name: "Programs", dependencies: ["Failures", "JSON", "LanguageModels", "Schema", "Traces"]),
    .target(name: "Randomness"),
    .target(name: "Schema", dependencies: ["Failures", "JSON"]),
    .target(name: "Traces", dependencies: ["JSON", "LanguageModels"]),
    .target(
      name: "Tracking",
      dependencies: [
        "Compression", "Failures", "JSON", "LanguageModels", "Schema", "Traces",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    // The web page's files, embedded into the binary.
    .target(name: "WebAssets"),

    // The command.
    .executableTarget(
      name: "hone",
      dependencies: [
        "Editing", "Evaluation", "Exchange", "Failures", "HoneService", "HoneWeb", "JSON", "JSONRPC", "Jobs", "Programs", "Schema", "Tracking",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),

    // Tests, one target a room.
    .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "Failures", "JSON", "Randomness", "Schema"]),
    .testTarget(
      name: "ExchangeTests", dependencies: ["Exchange", "Failures", "JSON", "LanguageModels", "Traces", "Tracking"]),
    .testTarget(name: "HTTPModelsTests", dependencies: ["Failures", "HTTPModels", "JSON", "LanguageModels"]),
    .testTarget(
      name: "HoneServiceTests",
      dependencies: [
        "Editing", "Evaluation", "Failures", "HoneService", "JSON", "JSONRPC", "Jobs", "LanguageModels", "Optimizers", "Programs",
        "Schema", "Tracking",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "HoneWebTests",
      dependencies: [
        "Compression", "Failures", "HoneWeb", "JSON", "Traces", "Tracking",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),
    .testTarget(name: "JSONRPCTests", dependencies: ["JSONRPC"]),
    .testTarget(name: "JSONTests", dependencies: ["JSON"]),
    .testTarget(name: "LanguageModelsTests", dependencies: ["LanguageModels", "Schema"]),
    .testTarget(
      name: "OptimizersTests",
      dependencies: [
        "Evaluation", "Failures", "JSON", "LanguageModels", "Optimizers", "Programs", "Randomness", "Schema", "Traces",
      ]),
    .testTarget(name: "ProgramsTests", dependencies: ["Failures", "JSON", "LanguageModels", "Programs", "Schema", "Traces"]),
    .testTarget(name: "RandomnessTests", dependencies: ["JSON", "Randomness"]),
    .testTarget(name: "SchemaTests", dependencies: ["Failures", "JSON", "Schema"]),
    .testTarget(
      name: "TrackingTests", dependencies: ["Failures", "JSON", "LanguageModels", "Tracking", "Traces"]),
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets where !["CZlib", "WebAssets"].contains(target.name) {
  target.swiftSettings = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
  ]
}
