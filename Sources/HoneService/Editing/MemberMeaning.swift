import JSON
import Optimizers
import Schema

/// What a member of a program file means, and what it is where it is not given.
struct MemberMeaning: Sendable {
  /// The document's value.
  let root: JSONValue

  /// One line about the member of that name in the object at the end of the path.
  func line(of name: String, in path: [JSONTree.Step]) -> String? {
    if path.isEmpty { return ProgramFile.members.first { $0.name == name }?.summary }
    let names = path.compactMap { step in if case .member(let name) = step { name } else { nil } }
    guard names == ["optimizer"] else { return Glossary.meaning(of: name, in: names) }
    if name == "name" { return "The optimizer." }
    let optimizer = root["optimizer"]?["name"]?.stringValue ?? ""
    guard
      let field = OptimizerRegistry.all.type(named: optimizer)?.fields
        .first(where: { $0.name == name || $0.otherSpellings.contains(name) })
    else { return nil }
    return field.defaultValue.map { "\(field.summary) Default: \($0.text())." } ?? field.summary
  }
}
