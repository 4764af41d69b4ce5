// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Optimize",
  // In a package of your own: .package(url: "…", branch: "main").
  dependencies: [.package(name: "hone", path: "../..")],
  targets: [
    .executableTarget(name: "Optimize", dependencies: [.product(name: "Hone", package: "hone")])
  ]
)
