import HoneService
import JSON
import Schema

/// What may stand at a place of a program file, and what it means: as the requests' own declarations say.
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

  private let shapes: [String: Schema]
  /// The document's value, what is missing as null.
  let root: JSONValue

  init(_ catalog: Catalog, root: JSONValue) {
    shapes = Dictionary(catalog.shapes.map { ($0.name, $0.schema) }, uniquingKeysWith: { first, _ in first })
    self.root = root
  }

  /// The members that the object at the end of the path may have.
  func members(at path: [JSONTree.Step]) -> [Schema.Field] {
    var seen: Set<String> = []
    return objects(at: path).flatMap(\.self).filter { seen.insert($0.name).inserted }
  }

  /// One line about the member of that name in the object at the end of the path.
  func meaning(of name: String, in path: [JSONTree.Step]) -> String? {
    guard
      let field = objects(at: path).lazy.flatMap(\.self)
        .first(where: { $0.name == name || $0.otherSpellings.contains(name) })
    else { return nil }
    return field.defaultValue.map { "\(field.summary) Default: \($0.text())." } ?? field.summary
  }

  /// The closed set of values that a place may have; empty where it is open.
  func values(at path: [JSONTree.Step]) -> [(value: JSONValue, summary: String)] {
    var words: [(value: JSONValue, summary: String)] = []
    for schema in schemas(at: path) {
      switch schema.kind {
      case .boolean: words += [(true, ""), (false, "")]
      // The further words of a name mean the same.
      case .choice(let choice): words += choice.map { (.string($0.text), $0.summary) }
      default: break
      }
    }
    var seen: Set<JSONValue> = []
    return words.filter { seen.insert($0.value).inserted }
  }

  /// The objects that may stand at the end of the path, in view of what stands there; each as its members.
  private func objects(at path: [JSONTree.Step]) -> [[Schema.Field]] {
    let here = value(at: path)
    let all = everyObject(at: path)
    if all.count == 1 { return all }
    let fitting = all.filter { fields in Self.telling(fields).allSatisfy { holds($0, here) } }
    // What tells the kind comes first, as long as nothing does.
    let isOpen = fitting.allSatisfy { Self.telling($0).isEmpty }
    return fitting + (isOpen ? all.map(Self.telling) : [])
  }

  /// The same, whatever stands there.
  private func everyObject(at path: [JSONTree.Step]) -> [[Schema.Field]] {
    schemas(at: path).compactMap { schema in
      if case .object(let fields) = schema.kind { fields } else { nil }
    }
  }

  /// The members that tell an object from others at the same place: those that say its name, else those it must have.
  private static func telling(_ fields: [Schema.Field]) -> [Schema.Field] {
    let named = fields.filter { $0.isRequired && $0.schema.words.count == 1 }
    return named.isEmpty ? fields.filter(\.isRequired) : named
  }

  /// Whether a value has the member, and as its description says where that names the words.
  private func holds(_ field: Schema.Field, _ value: JSONValue?) -> Bool {
    guard let member = value?[field.name] else { return false }
    guard case .choice(let words) = field.schema.kind else { return true }
    return words.contains { $0.means(member.stringValue ?? "") }
  }

  private func schemas(at path: [JSONTree.Step]) -> [Schema] {
    guard let last = path.last else { return [Schema(.object(ProgramFile.members))] }
    let before = Array(path.dropLast())
    switch last {
    case .member(let name):
      // What says the kind may be changed to that of another one.
      let telling = everyObject(at: before).flatMap { $0.filter { $0.isRequired && $0.schema.words.count == 1 } }
      let fields = (objects(at: before).flatMap(\.self) + telling).filter {
        $0.name == name || $0.otherSpellings.contains(name)
      }
      let maps = schemas(at: before).compactMap { schema -> Schema? in
        if case .map(let value) = schema.kind { value } else { nil }
      }
      return (fields.map(\.schema) + maps).flatMap(expanded)
    case .element:
      return schemas(at: before).flatMap { schema -> [Schema] in
        if case .array(let element) = schema.kind { expanded(element) } else { [] }
      }
    }
  }

  /// A description with its names looked up and its alternatives side by side.
  private func expanded(_ schema: Schema) -> [Schema] {
    switch schema.kind {
    case .named(let name): shapes[name].map(expanded) ?? []
    case .either(let schemas): schemas.flatMap(expanded)
    default: [schema]
    }
  }

  private func value(at path: [JSONTree.Step]) -> JSONValue? {
    path.reduce(root) { value, step in
      switch step {
      case .member(let name): value?[name]
      case .element(let index): value?[index]
      }
    }
  }
}
