import Failures
package import JSON

/// An object that is one of several kinds and says by its `name` which: an optimizer, a metric.
package protocol NamedSchemaObject: SchemaObject {
  static var name: String { get }
  /// What it is also called. Capitals, `_` and `-` make no difference anyway.
  static var otherNames: [String] { get }
}

extension NamedSchemaObject {
  package static var otherNames: [String] { [] }

  static var word: Schema.Word { Schema.Word(name, summary, otherNames: otherNames) }

  /// The members with the name before them.
  static var namedFields: [Schema.Field] {
    [
      Schema.Field("name", Schema(.choice([word])), isRequired: true, summary)
    ] + fields
  }
}

/// The kinds there are of something that goes by name; `"NAME"` and `{"name": "NAME", …}` are read.
///
/// - `Product`: what all of them are, such as `any Optimizer`.
package struct Registry<Product: Sendable>: Sendable {
  /// What they are, as messages say it: `optimizer`.
  package let noun: String
  package let types: [any NamedSchemaObject.Type]

  package init(_ noun: String, _ types: [any NamedSchemaObject.Type]) {
    self.noun = noun
    self.types = types
  }

  package var names: [String] { types.map { $0.name } }

  package func adding(_ more: [any NamedSchemaObject.Type]) -> Registry { Registry(noun, types + more) }

  /// The kind of that name, or that is also called so.
  package func type(named name: String) -> (any NamedSchemaObject.Type)? {
    types.first { $0.word.means(name) }
  }

  /// Reads one; notes every problem and then gives nil.
  package func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Product? {
    switch value {
    case .string(let name):
      return read(name, FieldReader([:], path: place, problems: problems), namePlace: place, got: value.excerpt)
    case .object(let object):
      let fields = FieldReader(object, path: place, problems: problems)
      let named = Named.known(from: fields)
      guard let name = named.name else { return nil }
      return read(name, fields, namePlace: fields.place("name"), got: String(name.prefix(80)))
    default:
      problems.add(
        Problem(
          path: place,
          message:
            "Expected the name of \(noun.withArticle), or an object with \"name\" and its options; got \(value.kindName).",
          got: value.excerpt, allowed: names))
      return nil
    }
  }

  private struct Named: SchemaObject {
    static var members: [Member<Self>] { [Member("name", \.name, isRequired: true, "Which kind it is.")] }
    var name: String?
  }

  private func read(_ name: String, _ fields: FieldReader, namePlace: String, got: String) -> Product? {
    guard let type = type(named: name) else {
      fields.problems.add(
        Problem(
          path: namePlace,
          message: "There is no \(noun) \(JSONValue.string(name).excerpt); there are \(names.joined(separator: ", ")).",
          got: got, allowed: names,
          suggestion: nearest(to: name, among: types.flatMap { [$0.name] + $0.otherNames })))
      return nil
    }
    return type.read(fields) as? Product
  }

  package var schema: Schema {
    Schema(
      .either(
        [Schema(.choice(types.map { $0.word }))]
          + types.map { Schema(.object($0.namedFields), $0.summary) }))
  }
}

extension String {
  /// The word with a or an before it.
  fileprivate var withArticle: String { ("aeiou".contains(prefix(1)) ? "an " : "a ") + self }
}
