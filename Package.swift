// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "hone",
  products: [
    .executable(name: "hone", targets: ["HoneCommand"]),
    .library(name: "Hone", targets: ["Hone"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-http-types.git", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.0"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.0", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
  ],
  targets: [
    // The rooms; a room imports only what its dependencies list. Documentation/Architecture.md shows how they stand.
    .target(
      name: "Basics", dependencies: ["Platform", .product(name: "Crypto", package: "swift-crypto")]),
    .target(name: "Compression", dependencies: ["CZlib", "Failures", "Platform"]),
    // zlib, as the system has it.
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .target(
      name: "Editing",
      dependencies: [
        "Datasets", "Evaluation", "Failures", "HoneService", "HTTPModels", "Jobs", "JSON", "JSONRPC", "LanguageModels",
        "Messages", "Optimizers", "Platform", "Programs", "Schema", "Statistics", "Traces", "Tracking",
      ]),
    .target(
      name: "Evaluation",
      dependencies: [
        "Basics", "Failures", "JSON", "LanguageModels", "Messages", "Platform", "Programs", "RegularExpressions",
        "RowStorage", "Schema", "Statistics", "Traces",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(
      name: "Datasets",
      dependencies: [
        "Basics", "Compression", "Failures", "JSON", "Platform", "Randomness", "RowStorage", "Schema", "Simulation",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(
      name: "Delivery",
      dependencies: [
        "Failures", "JSON", "Networking", "Platform",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),
    .target(
      name: "HTTPResponses",
      dependencies: [
        "Failures", "JSON", "Platform", "Tracking",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ]),
    .target(
      name: "HoneWeb",
      dependencies: [
        "Basics", "Failures", "HTTPResponses", "MLflow", "OpenTelemetry", "Platform", "Tracking", "WebAssets",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "MLflow",
      dependencies: [
        "Basics", "Delivery", "Failures", "HTTPResponses", "JSON", "Messages", "OpenTelemetry", "Platform", "RunFiles",
        "Schema", "Traces", "Tracking",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ]),
    .target(
      name: "OpenTelemetry",
      dependencies: [
        "Basics", "Compression", "Delivery", "Failures", "HTTPResponses", "JSON", "Messages", "Schema", "Traces",
        "Tracking",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "RunFiles", dependencies: ["Basics", "Failures", "JSON", "Messages", "Schema", "Traces", "Tracking"]),
    // The library.
    .target(
      name: "Hone",
      dependencies: [
        "Evaluation", "Failures", "HTTPModels", "Jobs", "JSON", "LanguageModels", "Platform", "Programs", "Schema",
        "Tracking",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "HoneService",
      dependencies: [
        "Basics", "Datasets", "Evaluation", "Failures", "HTTPModels", "Jobs", "JSON", "JSONRPC", "LanguageModels",
        "Messages", "Networking", "Optimizers", "Platform", "Programs", "Schema", "Statistics", "Traces", "Tracking",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "HTTPModels",
      dependencies: [
        "Basics", "Failures", "JSON", "LanguageModels", "Messages", "Networking", "Platform", "Schema", "Simulation",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
      ]),
    .target(name: "Failures"),
    .target(
      name: "Jobs",
      dependencies: [
        "Basics", "Datasets", "Evaluation", "Failures", "HTTPModels", "JSON", "LanguageModels", "Messages",
        "Optimizers", "Platform", "Programs", "RowStorage", "Schema", "Simulation", "Statistics", "Traces", "Tracking",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(name: "JSON"),
    .target(name: "JSONRPC", dependencies: ["Basics", "Failures", "JSON", "Platform", "Schema"]),
    .target(
      name: "LanguageModels",
      dependencies: [
        "Basics", "Failures", "JSON", "Messages", "Platform", "Schema",
        .product(name: "Crypto", package: "swift-crypto"),
      ]),
    .target(
      name: "Optimizers",
      dependencies: [
        "Basics", "Evaluation", "Failures", "JSON", "LanguageModels", "Messages", "Platform", "Programs", "Randomness",
        "RowStorage", "Schema", "Statistics", "Traces",
      ]),
    .target(
      name: "Programs",
      dependencies: [
        "Basics", "Failures", "JSON", "LanguageModels", "Messages", "Platform", "RegularExpressions", "Schema",
        "Traces",
      ]),
    .target(name: "Messages", dependencies: ["Basics", "Failures", "JSON"]),
    .target(
      name: "Networking",
      dependencies: [
        "Failures", "Platform",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ]),
    .target(name: "Platform"),
    .target(name: "Randomness", dependencies: ["Platform"]),
    .target(
      name: "Simulation", dependencies: ["Basics", "Failures", "JSON", "LanguageModels", "Messages", "Randomness"]),
    .target(name: "RegularExpressions", dependencies: ["Basics"]),
    .target(name: "RowStorage", dependencies: ["Failures", "JSON", "Platform"]),
    .target(name: "Schema", dependencies: ["Failures", "JSON"]),
    .target(name: "Statistics", dependencies: ["JSON", "Platform", "Schema"]),
    .target(
      name: "Terminal", dependencies: ["JSON", "Platform", .product(name: "Logging", package: "swift-log")]),
    .target(name: "Traces", dependencies: ["Basics", "JSON", "Messages", "Platform"]),
    .target(
      name: "Tracking",
      dependencies: [
        "Basics", "Compression", "Failures", "JSON", "Messages", "Platform", "RegularExpressions", "RowStorage",
        "Schema", "Traces",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    // The web page's files, embedded into the binary.
    .target(name: "WebAssets"),

    // The command.
    .executableTarget(
      name: "HoneCommand",
      dependencies: [
        "Basics", "Datasets", "Editing", "Evaluation", "Failures", "HoneService", "HoneWeb", "HTTPModels",
        "HTTPResponses",
        "Jobs", "JSON", "JSONRPC", "LanguageModels", "Messages", "MLflow", "OpenTelemetry", "Optimizers", "Platform",
        "Programs", "RunFiles", "Schema", "Statistics", "Terminal", "Tracking",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),

    // Tests, one target a room.
    .testTarget(
      name: "EvaluationTests",
      dependencies: [
        "Basics", "Compression", "Datasets", "Evaluation", "Failures", "JSON", "Messages", "Platform", "Programs",
        "Randomness",
        "RegularExpressions", "RowStorage", "Schema", "Simulation", "Statistics",
      ]),
    .testTarget(
      name: "HoneWebTests",
      dependencies: [
        "Failures", "HTTPResponses", "HoneWeb", "Platform", "Tracking",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),
    .testTarget(
      name: "OpenTelemetryTests",
      dependencies: [
        "Basics", "Compression", "Delivery", "Failures", "HTTPResponses", "JSON", "Messages", "OpenTelemetry", "Traces",
        "Tracking",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "RunFilesTests", dependencies: ["Basics", "Failures", "JSON", "Messages", "RunFiles", "Traces", "Tracking"]),
    .testTarget(name: "HoneTests", dependencies: ["Hone"]),
    .testTarget(
      name: "HTTPModelsTests",
      dependencies: [
        "Basics", "Failures", "HTTPModels", "JSON", "LanguageModels", "Messages", "Networking", "Platform",
        "Simulation",
      ]),
    .testTarget(
      name: "HoneServiceTests",
      dependencies: [
        "Basics", "Datasets", "Editing", "Evaluation", "Failures", "HoneService", "Jobs", "JSON", "JSONRPC",
        "LanguageModels", "Messages", "Optimizers", "Platform", "Programs", "RowStorage", "Schema", "Statistics",
        "Tracking",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "JSONRPCTests",
      dependencies: [
        "Failures", "JSON", "JSONRPC", "Platform",
      ]),
    .testTarget(name: "JSONTests", dependencies: ["JSON"]),
    .testTarget(
      name: "LanguageModelsTests",
      dependencies: [
        "Basics", "Failures", "JSON", "LanguageModels", "Messages", "Schema", "Simulation",
      ]),
    .testTarget(
      name: "NetworkingTests",
      dependencies: [
        "Failures", "Networking",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),
    .testTarget(
      name: "OptimizersTests",
      dependencies: [
        "Basics", "Evaluation", "Failures", "JSON", "LanguageModels", "Messages", "Optimizers", "Programs",
        "Randomness",
        "RowStorage", "Schema", "Simulation", "Statistics", "Traces",
      ]),
    .testTarget(
      name: "ProgramsTests",
      dependencies: [
        "Basics", "Failures", "JSON", "LanguageModels", "Messages", "Programs", "Schema", "Traces",
      ]),
    .testTarget(name: "RandomnessTests", dependencies: ["JSON", "Randomness"]),
    .testTarget(name: "SchemaTests", dependencies: ["Failures", "JSON", "Schema"]),
    .testTarget(name: "TerminalTests", dependencies: ["Terminal"]),
    .testTarget(
      name: "TrackingTests",
      dependencies: [
        "Basics", "Failures", "JSON", "LanguageModels", "Messages", "RegularExpressions", "RowStorage", "Schema",
        "Traces",
        "Tracking",
      ]),
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
