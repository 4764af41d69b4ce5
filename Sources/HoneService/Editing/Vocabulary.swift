import Failures
import JSON

/// What may stand at a place of a program file.
///
/// Nobody keeps lists for that: a word that nothing can mean is put there, and the reading of `compile` and `evaluate`
/// says what it would have taken in its place.
struct Vocabulary: Sendable {
  /// A word and what to know of it.
  struct Word: Sendable, Hashable {
    /// The JSON text to put into the file.
    var text: String
    var label: String
    var detail = ""
    var kind = Kind.value
  }

  /// LSP's numbers for kinds of completions.
  enum Kind: Int, Sendable {
    case property = 10
    case value = 12
    case module = 9
    case file = 17
  }

  private static let nonsense = "\u{1}"
  let check: FileCheck
  /// The document's value, what is missing as null.
  let root: JSONValue

  /// The names that the object at the end of the path may have as members.
  func members(at path: [JSONTree.Step]) async -> [String] {
    if path.isEmpty { return ProgramFile.members.map(\.name) }
    let wanted = Self.text(path + [.member(Self.nonsense)])
    let problems = await problems(with: 0, at: path + [.member(Self.nonsense)])
    if let problem = problems.first(where: { $0.isAboutName && $0.path == wanted }) {
      // A key's value is read only to be refused.
      return problem.allowed.filter { $0 != "apiKey" }
    }
    // An object that lacks what tells its kind is read no further.
    if let problem = problems.first(where: { $0.path == Self.text(path) && !$0.allowed.isEmpty }) {
      return problem.allowed
    }
    switch path {
    case [.member("optimizer")]: return ["name"]
    case [.member("metric")]: return ["name", "field", "expectedField"]
    default: return []
    }
  }

  /// The values that the reading knows for a place.
  func values(at path: [JSONTree.Step]) async -> [JSONValue] {
    let place = Self.text(path)
    let problems = await problems(with: .string(Self.nonsense), at: path)
    let here = problems.filter { !$0.isAboutName && ($0.path == place || $0.path == place + ".name") }
    if here.contains(where: { $0.message.hasPrefix("Expected true or false") }) { return [true, false] }
    return here.first { !$0.allowed.isEmpty }?.allowed.map(JSONValue.string) ?? []
  }

  private func problems(with value: JSONValue, at path: [JSONTree.Step]) async -> [Problem] {
    guard let members = root.setting(value, at: path[...]).objectValue else { return [] }
    var problems: [Problem] = []
    for method in ProgramFile.methods { problems += await check.problems(method, members) }
    return problems
  }

  /// A path as problems state it.
  static func text(_ path: [JSONTree.Step]) -> String {
    path.reduce("") { text, step in
      switch step {
      case .member(let name): text.isEmpty ? name : "\(text).\(name)"
      case .element(let index): "\(text)[\(index)]"
      }
    }
  }
}

extension JSONValue {
  /// This value with another one at a place within it; objects on the way are made where they are missing.
  fileprivate func setting(_ value: JSONValue, at path: ArraySlice<JSONTree.Step>) -> JSONValue {
    guard let step = path.first else { return value }
    let rest = path.dropFirst()
    switch step {
    case .member(let name):
      var object = objectValue ?? [:]
      object[name] = (object[name] ?? .null).setting(value, at: rest)
      return .object(object)
    case .element(let index):
      var elements = arrayValue ?? []
      if elements.indices.contains(index) {
        elements[index] = elements[index].setting(value, at: rest)
      } else {
        elements.append(JSONValue.null.setting(value, at: rest))
      }
      return .array(elements)
    }
  }
}
