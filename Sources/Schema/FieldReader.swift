import Failures
package import JSON

/// Reads the members of one JSON object by name and kind, noting every problem with its path.
///
/// Each accessor answers nil where the member is absent or null, and also where it is of the wrong
/// kind, in which case the problem is noted. `finish()` notes the members nobody asked for, with the
/// nearest known name. A name may be given in other spellings (`apiBase`, `api_base`).
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

  /// The member as it came; null counts as absent.
  package func value(_ name: String, _ otherSpellings: String...) -> JSONValue? {
    find(name, otherSpellings)?.value
  }

  private func find(_ name: String, _ otherSpellings: [String]) -> (name: String, value: JSONValue)? {
    given(name, otherSpellings).flatMap { $0.value.isNull ? nil : $0 }
  }

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

  private func wrong(_ name: String, _ expected: String, _ value: JSONValue) {
    problems.expected(expected, at: place(name), got: value)
  }

  package func string(_ name: String, _ otherSpellings: String...) -> String? {
    guard let (place, value) = find(name, otherSpellings) else { return nil }
    guard case .string(let text) = value else {
      wrong(place, "a string", value)
      return nil
    }
    return text
  }

  package func requiredString(_ name: String) -> String? {
    if let text = string(name) { return text }
    if object[name] == nil || object[name] == .null { problems.add(place(name), "This member is required (a string).") }
    return nil
  }

  package func bool(_ name: String, _ otherSpellings: String...) -> Bool? {
    guard let (place, value) = find(name, otherSpellings) else { return nil }
    guard case .bool(let flag) = value else {
      wrong(place, "true or false", value)
      return nil
    }
    return flag
  }

  package func int(_ name: String, _ otherSpellings: String..., in range: ClosedRange<Int> = Int.min...Int.max) -> Int?
  {
    guard let (place, value) = find(name, otherSpellings) else { return nil }
    guard let number = value.intValue else {
      wrong(place, "a whole number", value)
      return nil
    }
    guard range.contains(number) else {
      let bounds =
        range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
      wrong(place, "a whole number \(bounds)", value)
      return nil
    }
    return number
  }

  package func double(
    _ name: String, _ otherSpellings: String..., in range: ClosedRange<Double> = -.infinity ... .infinity
  ) -> Double? {
    guard let (place, value) = find(name, otherSpellings) else { return nil }
    guard let number = value.doubleValue, range.contains(number) else {
      let bounds =
        range == -.infinity ... .infinity
        ? "a number"
        : range.upperBound == .infinity
          ? "a number of at least \(range.lowerBound)" : "a number from \(range.lowerBound) to \(range.upperBound)"
      wrong(place, bounds, value)
      return nil
    }
    return number
  }

  package func object(_ name: String, _ otherSpellings: String...) -> JSONObject? {
    guard let (place, value) = find(name, otherSpellings) else { return nil }
    guard case .object(let object) = value else {
      wrong(place, "an object", value)
      return nil
    }
    return object
  }

  package func array(_ name: String, _ otherSpellings: String...) -> [JSONValue]? {
    guard let (place, value) = find(name, otherSpellings) else { return nil }
    guard case .array(let elements) = value else {
      wrong(place, "an array", value)
      return nil
    }
    return elements
  }

  /// A list of strings; a single string is taken as a list of one.
  package func strings(_ name: String, _ otherSpellings: String...) -> [String]? {
    guard let (place, value) = find(name, otherSpellings) else { return nil }
    if case .string(let text) = value { return [text] }
    guard case .array(let elements) = value else {
      wrong(place, "a list of strings", value)
      return nil
    }
    var texts: [String] = []
    for (index, element) in elements.enumerated() {
      guard case .string(let text) = element else {
        wrong("\(place)[\(index)]", "a string", element)
        return nil
      }
      texts.append(text)
    }
    return texts
  }

  /// One of a closed set of words.
  package func choice(_ name: String, of allowed: [String]) -> String? {
    guard let (place, value) = find(name, []) else { return nil }
    guard case .string(let text) = value, allowed.contains(text) else {
      problems.notAmong(allowed, at: self.place(place), got: value)
      return nil
    }
    return text
  }

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
