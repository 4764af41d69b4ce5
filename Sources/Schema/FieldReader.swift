import Failures
package import JSON

/// One JSON object whose members are read by their declarations (`Member`): where it stands, who hears of problems, and
/// which members were asked for. `finish()` notes those that nobody asked for, with the nearest known name.
package final class FieldReader {
  package let object: JSONObject
  package let path: String
  package let problems: ProblemList
  private var known: [String] = []
  private var used: Set<String> = []

  package init(_ object: JSONObject, path: String = "", problems: ProblemList) {
    self.object = object
    self.path = path
    self.problems = problems
  }

  /// A reader for `value` if it is an object; else the problem is noted and nil returned.
  package convenience init?(_ value: JSONValue, path: String, problems: ProblemList) {
    guard case .object(let object) = value else {
      problems.add(
        Problem(path: path, message: "Expected an object, got \(value.kindName).", got: value.excerpt))
      return nil
    }
    self.init(object, path: path, problems: problems)
  }

  package func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// The member as it came, null included, and how it is spelt.
  func given(_ name: String, _ otherSpellings: [String]) -> (name: String, value: JSONValue)? {
    known.append(name)
    var found: (name: String, value: JSONValue)?
    for spelling in [name] + otherSpellings {
      guard let value = object[spelling] else { continue }
      used.insert(spelling)
      if found?.value.isNull ?? true { found = found == nil || !value.isNull ? (spelling, value) : found }
    }
    return found
  }

  /// Whether the member is there, be it null.
  package func gives(_ name: String) -> Bool { object[name] != nil || object[name.inOtherConvention] != nil }

  /// Marks members as read by somebody else.
  package func ignore(_ names: String...) {
    known.append(contentsOf: names)
    used.formUnion(names)
  }

  /// Notes each member that no accessor asked for.
  package func finish() {
    for (key, value) in object where !used.contains(key) && !known.contains(key) {
      problems.add(
        Problem(
          path: place(key), message: "There is no such member here.", got: value.excerpt,
          allowed: known.sorted(), suggestion: nearest(to: key, among: known), isAboutName: true))
    }
  }
}
