import HoneService
import Foundation
package import JSON
import Jobs
import Schema

/// A `*.hone.json` file: program, data, metric, model and optimizer in one object, whose members are the parameters of
/// `compile` and `evaluate`. Relative paths in it count from its directory.
package enum ProgramFile {
  package static let suffix = ".hone.json"

  package static func isOne(_ path: String) -> Bool { path.hasSuffix(suffix) }

  /// The methods that such a file holds parameters of.
  static let methods: [Method] = [.compile, .evaluate]

  /// Every member a file may have, once.
  static let members: [Schema.Field] = {
    var members = methods.flatMap(\.parameters)
    var seen: Set<String> = []
    members.removeAll { passing.contains($0.name) || !seen.insert($0.name).inserted }
    return members
  }()

  /// Parameters that are about one call and not about the program.
  static let passing = ["detach"]

  /// What a file may say that no method reads.
  static let ignored = ["$schema"]

  /// The request of a method that a file's members make: those that the method knows, and the file's name as a tag, so
  /// that its runs are found again. Without a devset, an evaluation takes the valset.
  ///
  /// - Parameter file: where the file is; nil for one that has no place. What the members say of that does not count.
  package static func request(_ method: String, of members: JSONObject, file: String?) -> JSONObject {
    let known = MethodTable.method(named: method)?.parameters.map(\.name) ?? []
    var request = members.filter { known.contains($0) && !passing.contains($0) }
    if method == Method.evaluate.name, request["devset"] == nil, let valset = members["valset"] {
      request["devset"] = valset
    }
    request = withoutPlace(request)
    let tags = request["tags"] ?? .null
    if let file, tags.isNull || tags.objectValue != nil {
      request["tags"] = .object((tags.objectValue ?? [:]).merging([HoneTag.file: .string(file)]))
    }
    return request
  }

  /// A request that a file holds, without what it says of where that file is: keys that were allowed for one file are not
  /// another's.
  package static func withoutPlace(_ request: JSONObject) -> JSONObject {
    guard let tags = request["tags"]?.objectValue, tags[HoneTag.file] != nil else { return request }
    return request.merging(["tags": .object(tags.filter { $0 != HoneTag.file })])
  }

  /// The directory of a file.
  package static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The path that a `file:` URI names; nil for other URIs.
  package static func path(ofURI uri: String) -> String? {
    guard uri.hasPrefix("file://") else { return nil }
    let rest = uri.dropFirst("file://".count)
    guard let slash = rest.firstIndex(of: "/") else { return nil }
    let path = String(rest[slash...])
    return path.removingPercentEncoding ?? path
  }
}
