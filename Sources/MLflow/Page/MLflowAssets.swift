import Dispatch
package import Failures
import Foundation
import HTTPResponses
import HTTPTypes
package import Hummingbird
import NIOCore
import Tracking

/// The web page of an installed `mlflow` package, served from where the package lies.
package struct MLflowAssets: Sendable {
  /// The directory with the page's `index.html`.
  private let directory: String

  /// The page of the package at `path` (the package, or what it lies in), or of the one that `python3` would import.
  ///
  /// - Throws: `invalidParams` if there is none.
  package init(path: String?) throws(HoneError) {
    let places = ["", "/mlflow", "/server/js/build", "/mlflow/server/js/build"]
    guard let start = path ?? Self.packageDirectory() else {
      throw HoneError(
        .invalidParams, "No Python found here has the mlflow package.",
        remedy: "Install it (pip install mlflow), or say where it is with --mlflow-package.")
    }
    let found = places.map { start + $0 }.first { place in
      FileManager.default.fileExists(atPath: place + "/index.html")
        && FileManager.default.fileExists(atPath: place + "/static")
    }
    guard let found else {
      throw HoneError(
        .invalidParams, "The mlflow package in \(start) has no web page.",
        remedy: "Install the whole package: mlflow-skinny and mlflow-tracing come without the page.")
    }
    directory = URL(fileURLWithPath: found).resolvingSymlinksInPath().path
  }

  /// Where Python would find the package; nothing of it is run.
  private static func packageDirectory() -> String? {
    let virtual = ProcessInfo.processInfo.environment["VIRTUAL_ENV"].map { $0 + "/bin/python3" }
    let question =
      "import importlib.util as u; s = u.find_spec('mlflow'); print(s.submodule_search_locations[0] if s else '')"
    for python in [virtual, "python3", "python"].compactMap(\.self) {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = [python, "-c", question]
      let output = Pipe()
      process.standardOutput = output
      process.standardError = FileHandle.nullDevice
      process.standardInput = FileHandle.nullDevice
      guard (try? process.run()) != nil else { continue }
      let answer = (try? output.fileHandleForReading.readToEnd()) ?? nil
      process.waitUntilExit()
      let path = answer.map { String(decoding: $0, as: UTF8.self).trimmed } ?? ""
      if process.terminationStatus == 0, !path.isEmpty { return path }
    }
    return nil
  }

  package func addRoutes(to router: Router<BasicRequestContext>) {
    router.get("/") { request, _ in try answer("index.html", request) }
    router.get("/static-files/**") { request, _ in
      guard let path = request.uri.path.dropFirst("/static-files/".count).removingPercentEncoding else {
        throw HTTPError(.notFound)
      }
      return try answer(path, request)
    }
  }

  private func answer(_ path: String, _ request: Request) throws -> Response {
    guard let safe = try? ArtifactPath(path), !safe.components.isEmpty else { throw HTTPError(.notFound) }
    // The package may well be made of links; they are followed no further than within it.
    let file = URL(fileURLWithPath: directory + "/" + safe.description).resolvingSymlinksInPath().path
    guard file.hasPrefix(directory + "/"), let data = FileManager.default.contents(atPath: file) else {
      throw HTTPError(.notFound)
    }
    var headers: HTTPFields = [
      .contentType: ContentType.ofFile(named: path), .contentSecurityPolicy: ContentPolicy.mlflow,
    ]
    // Their names change with their content, except the page's own.
    headers[.cacheControl] = path.hasPrefix("static/") ? "private, max-age=31536000, immutable" : "no-cache"
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
  }
}
