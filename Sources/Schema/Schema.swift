package import JSON

/// What may stand at one place of a request or a result.
///
/// A description is made from the declaration of the type that is read there (`SchemaValue`). Documents, completion, help
/// and clients are made from descriptions; nothing else says what a member is.
package struct Schema: Sendable {
  package indirect enum Kind: Sendable {
    /// Any JSON value.
    case any
    case string
    case integer(ClosedRange<Int>)
    case number(ClosedRange<Double>)
    case boolean
    /// One of a closed set of words.
    case choice([Word])
    case array(Schema)
    /// An object whose members have names of the writer's own.
    case map(Schema)
    /// An object whose members are declared.
    case object([Field])
    case either([Schema])
    /// A shape that is described elsewhere, under this name.
    case named(String)
  }

  /// A word of a closed set, with what it means.
  package struct Word: Sendable, Hashable {
    package var text: String
    package var summary: String
    /// Other words that mean the same. Capitals, `_` and `-` make no difference then.
    package var otherNames: [String]

    package init(_ text: String, _ summary: String = "", otherNames: [String] = []) {
      self.text = text
      self.summary = summary
      self.otherNames = otherNames
    }

    /// Whether a text is this word.
    package func means(_ text: String) -> Bool {
      func fold(_ name: String) -> String { name.lowercased().filter { $0 != "_" && $0 != "-" } }
      return ([self.text] + otherNames).contains { fold($0) == fold(text) }
    }
  }

  /// A member of an object.
  package struct Field: Sendable {
    package var name: String
    package var otherSpellings: [String]
    package var summary: String
    package var isRequired: Bool
    /// What it is where it is left out; nil where that cannot be said in a value.
    package var defaultValue: JSONValue?
    package var schema: Schema
    /// Whether null is written where there is nothing; in what is asked, to give null is to leave it out.
    package var isNullWritten = false

    package init(
      _ name: String, _ schema: Schema, otherSpellings: [String] = [], isRequired: Bool = false,
      defaultValue: JSONValue? = nil, _ summary: String
    ) {
      self.name = name
      self.otherSpellings = otherSpellings
      self.summary = summary
      self.isRequired = isRequired
      self.defaultValue = defaultValue
      self.schema = schema
    }
  }

  package var kind: Kind
  package var summary: String
  /// Whether null may stand there, too.
  package var isNullable = false
  /// Whether an object may have further members, which are passed over.
  package var isOpen = false
  /// Values that show what is meant.
  package var examples: [JSONValue] = []

  package init(_ kind: Kind, _ summary: String = "") {
    self.kind = kind
    self.summary = summary
  }

  package static let anyObject = Schema(.map(Schema(.any)))

  package var orNull: Schema {
    var schema = self
    schema.isNullable = true
    return schema
  }

  /// What is expected, with its article, as messages say it: `a string`, `a whole number from 1 to 5`.
  package var phrase: String {
    switch kind {
    case .any: "a value"
    case .string: "a string"
    case .integer(let range): "a whole number\(Int.bounds(range))"
    case .number(let range): "a number\(Double.bounds(range))"
    case .boolean: "true or false"
    case .choice(let words): "one of \(words.map(\.text).joined(separator: ", "))"
    case .array(let element): if case .string = element.kind { "a list of strings" } else { "an array" }
    case .map, .object: "an object"
    case .either(let schemas): schemas.map(\.phrase).joined(separator: " or ")
    case .named: summary
    }
  }

  /// The words of a closed set.
  package var words: [Word] {
    guard case .choice(let words) = kind else { return [] }
    return words
  }
}
