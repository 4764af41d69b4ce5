import Basics
package import Failures
import Traces

/// A relative path of an artifact within its run, checked once and harmless from then on.
package struct ArtifactPath: Hashable, Sendable, CustomStringConvertible {
  /// The names from the run's artifact directory down; empty for that directory itself.
  package let components: [String]

  /// - Throws: `invalidParams` for an absolute path, one with empty, `.` or `..` parts, backslashes, control
  ///   characters, a drive or URI scheme, percent signs that hide any of these, or names over 200 bytes.
  package init(_ path: String) throws(HoneError) {
    func refuse(_ reason: String) -> HoneError {
      invalid(
        "path", "This is not an artifact path: \(reason).", got: path,
        remedy: "Give a relative path such as \"model/state.json\".")
    }
    guard path.utf8.count <= 2000 else { throw refuse("it is longer than 2000 bytes") }
    guard !path.hasPrefix("/") else { throw refuse("it is absolute") }
    guard !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { throw refuse("it has control characters") }
    guard !path.contains("\\") else { throw refuse("it has a backslash") }
    // What a careless layer above might decode once more must stay harmless.
    let lowered = path.lowercased()
    for hidden in ["%2e", "%2f", "%5c", "%00", "%25"] where lowered.contains(hidden) {
      throw refuse("it has an encoded separator")
    }
    if path.isEmpty {
      components = []
      return
    }
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.last == "" { parts.removeLast() }
    for part in parts {
      guard !part.isEmpty else { throw refuse("it has an empty part") }
      guard part != "." && part != ".." else { throw refuse("it has a part \"\(part)\"") }
      guard part.utf8.count <= 200 else { throw refuse("a part is longer than 200 bytes") }
    }
    guard let first = parts.first, !first.contains(":") else { throw refuse("it has a scheme or a drive") }
    components = parts
  }

  package var description: String { components.joined(separator: "/") }
}

/// An artifact named by a URI, `mlflow-artifacts:/{experiment}/{run}/artifacts/{path}`; that of a logged model or a trace
/// has `models/{model}` or `traces/{trace}` in the run's place.
package struct ArtifactReference: Hashable, Sendable {
  package var experimentID: String
  package var owner: ArtifactOwner
  package var path: ArtifactPath

  /// - Throws: `invalidParams` if the URI has another form, or its path is not harmless.
  package init(uri: String) throws(HoneError) {
    guard uri.utf8.count <= 3000, uri.hasPrefix("mlflow-artifacts:/") else { throw Self.refusal(uri) }
    var rest = uri.dropFirst("mlflow-artifacts:/".count)
    // An authority, `//host/`, is not ours; an empty one, `///`, says nothing.
    if rest.hasPrefix("//") { rest = rest.dropFirst(2) }
    try self.init(place: String(rest), uri: uri)
  }

  /// From what follows `mlflow-artifacts:/`.
  ///
  /// - Throws: `invalidParams` as `init(uri:)`.
  package init(place: String) throws(HoneError) {
    try self.init(place: place, uri: place)
  }

  private init(place: String, uri: String) throws(HoneError) {
    guard place.utf8.count <= 3000 else { throw Self.refusal(uri) }
    var parts = place.split(separator: "/", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
    guard let experiment = parts.first.flatMap({ Int($0) }), experiment >= 0, parts.count >= 3 else {
      throw Self.refusal(uri)
    }
    switch parts[1] {
    case "models":
      guard parts.count >= 4, isModelID(parts[2]) else { throw Self.refusal(uri) }
      owner = .model(parts[2])
      parts.removeFirst(3)
    case "traces":
      guard parts.count >= 4, let id = TraceID(parts[2]) else { throw Self.refusal(uri) }
      owner = .trace(id)
      parts.removeFirst(3)
    default:
      guard isRunID(parts[1]) else { throw Self.refusal(uri) }
      owner = .run(parts[1])
      parts.removeFirst(2)
    }
    guard parts.first == "artifacts" else { throw Self.refusal(uri) }
    experimentID = String(experiment)
    path = try ArtifactPath(parts.dropFirst().joined(separator: "/"))
  }

  private static func refusal(_ uri: String) -> HoneError {
    invalid(
      "artifactUri", "This is not an artifact URI.", got: uri,
      remedy: "Give one of the form mlflow-artifacts:/<experiment>/<run>/artifacts/<path>.")
  }
}
