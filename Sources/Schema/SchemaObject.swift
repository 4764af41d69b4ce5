package import JSON

/// A JSON object whose members are declared: each once, with its name, its kind, its range and a sentence. What it is
/// where it is left out is the value that the property has in `init()`.
package protocol SchemaObject: SchemaValue {
  /// Every member left out.
  init()

  static var members: [Member<Self>] { get }

  /// What the object is, in a sentence.
  static var summary: String { get }

  /// Looks at the members together, once each is read, and notes what does not fit.
  ///
  /// - Parameter fields: the object as it came.
  mutating func settle(_ fields: FieldReader)
}

extension SchemaObject {
  package static var summary: String { "" }
  package mutating func settle(_ fields: FieldReader) {}

  package static var schema: Schema { Schema(.object(fields), summary) }

  /// The members as they are described, with their defaults.
  package static var fields: [Schema.Field] {
    let defaults = Self()
    return members.map { $0.field(of: defaults) }
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? {
    FieldReader(value, path: place, problems: problems).flatMap { read($0) }
  }

  package static func read(_ fields: FieldReader) -> Self? {
    let before = fields.problems.problems.count
    let object = taken(from: fields)
    return fields.problems.problems.count == before ? object : nil
  }

  /// Reads the members, and notes what is wrong with them and those that nobody has declared. What could not be read is
  /// what it is where it is left out.
  package static func taken(from fields: FieldReader) -> Self {
    let object = known(from: fields)
    fields.finish()
    return object
  }

  /// The same, without a word about members that nobody has declared: somebody else looks for them later.
  package static func known(from fields: FieldReader) -> Self {
    var object = Self()
    for member in members { member.take(from: fields, into: &object) }
    object.settle(fields)
    return object
  }

  /// All members, those that were left out as what they are then.
  package var json: JSONObject { JSONObject(Self.members.map { ($0.name, $0.write(self)) }) }

  /// The members that differ from what they are where they are left out: read back, they give an equal object.
  package var given: JSONObject {
    let defaults = Self()
    return JSONObject(
      Self.members.compactMap { member in
        let value = member.write(self)
        return !member.isAlwaysWritten && value == member.write(defaults) ? nil : (member.name, value)
      })
  }

  package var jsonValue: JSONValue { .object(json) }
}

/// One member of an object: everything that is to be known of it.
package struct Member<Owner: Sendable>: Sendable {
  package let name: String
  /// Other spellings that are read: that of the other convention (`num_trials`, `numTrials`), and what it is called
  /// elsewhere.
  package let otherSpellings: [String]
  package let summary: String
  package let isRequired: Bool
  /// Whether it is written though it is what it would be if it were left out.
  package let isAlwaysWritten: Bool
  private let schema: @Sendable () -> Schema
  private let reading: @Sendable (JSONValue, String, ProblemList, inout Owner) -> Void
  package let write: @Sendable (Owner) -> JSONValue

  /// - Parameters:
  ///   - path: the property that holds it. Null means none where the property is optional, else that it is left out.
  ///   - spellings: what it is also called.
  ///   - isRequired: whether the object is refused without it.
  ///   - mayHoldSecret: whether somebody may put a secret there by mistake: what is wrong is not quoted then.
  ///   - shape: what may stand there, where the property's type does not say it all.
  ///   - summary: what it is for, in a sentence.
  package init<Value: SchemaValue>(
    _ name: String, _ path: MemberPath<Owner, Value>, also spellings: [String] = [],
    isRequired: Bool = false, isAlwaysWritten: Bool = false, mayHoldSecret: Bool = false, as shape: Schema? = nil,
    _ summary: String
  ) {
    self.init(
      name, path, spellings, isRequired, isAlwaysWritten, summary, schema: { shape ?? Value.schema },
      mayHoldSecret: mayHoldSecret, check: { _, _, _ in true })
  }

  package init<Value: SchemaNumber>(
    _ name: String, _ path: MemberPath<Owner, Value>, also spellings: [String] = [],
    in range: ClosedRange<Value>, isRequired: Bool = false, _ summary: String
  ) {
    self.init(
      name, path, spellings, isRequired, false, summary, schema: { Value.schema(in: range) },
      check: { number, place, problems in Self.isNumber(number, in: range, place, problems) })
  }

  package init<Value: SchemaNumber>(
    _ name: String, _ path: MemberPath<Owner, Value?>, also spellings: [String] = [],
    in range: ClosedRange<Value>, _ summary: String
  ) {
    self.init(
      name, path, spellings, false, false, summary, schema: { Value.schema(in: range).orNull },
      check: { number, place, problems in number.map { Self.isNumber($0, in: range, place, problems) } ?? true })
  }

  private init<Value: SchemaValue>(
    _ name: String, _ path: MemberPath<Owner, Value>, _ spellings: [String], _ isRequired: Bool,
    _ isAlwaysWritten: Bool, _ summary: String, schema: @escaping @Sendable () -> Schema, mayHoldSecret: Bool = false,
    check: @escaping @Sendable (Value, String, ProblemList) -> Bool
  ) {
    self.name = name
    let twin = name.inOtherConvention
    otherSpellings = (twin == name ? [] : [twin]) + spellings
    self.summary = summary
    self.isRequired = isRequired
    self.isAlwaysWritten = isAlwaysWritten
    self.schema = schema
    reading = { value, place, problems, owner in
      let noted = mayHoldSecret ? ProblemList() : problems
      guard let read = Value.read(value, at: place, noted), check(read, place, problems) else {
        if mayHoldSecret { problems.add(place, "Expected \(schema().phrase), got \(value.kindName).") }
        return
      }
      owner[keyPath: path] = read
    }
    write = { $0[keyPath: path].jsonValue }
  }

  private static func isNumber<Number: SchemaNumber>(
    _ number: Number, in range: ClosedRange<Number>, _ place: String, _ problems: ProblemList
  ) -> Bool {
    if range.contains(number) { return true }
    problems.expected(Number.schema(in: range).phrase, at: place, got: number.jsonValue)
    return false
  }

  private init<Part: Sendable>(_ part: Member<Part>, at path: MemberPath<Owner, Part>) {
    name = part.name
    otherSpellings = part.otherSpellings
    summary = part.summary
    isRequired = part.isRequired
    isAlwaysWritten = part.isAlwaysWritten
    schema = part.schema
    reading = { value, place, problems, owner in part.reading(value, place, problems, &owner[keyPath: path]) }
    write = { part.write($0[keyPath: path]) }
  }

  /// The members of a part, as members of the object that holds the part.
  package static func of<Part: SchemaObject>(_ path: MemberPath<Owner, Part>) -> [Member<Owner>] {
    Part.members.map { Member($0, at: path) }
  }

  package func field(of defaults: Owner) -> Schema.Field {
    var shape = schema()
    if isRequired { shape.isNullable = false }
    var field = Schema.Field(name, shape, otherSpellings: otherSpellings, isRequired: isRequired, summary)
    let value = write(defaults)
    let isNothing = value.isNull || value == .string("") || value == [] || value == [:]
    if !isRequired, !isNothing { field.defaultValue = value }
    return field
  }

  /// Takes the member as far as it can be read, where nobody asks for places and unknown members.
  func take(from object: JSONObject, into owner: inout Owner, _ problems: ProblemList) {
    var found = object[name]
    for spelling in otherSpellings where found?.isNull ?? true { found = object[spelling] ?? found }
    guard let found, !found.isNull || schema().isNullable else { return }
    reading(found, name, problems, &owner)
  }

  func take(from fields: FieldReader, into owner: inout Owner) {
    guard let (place, value) = fields.given(name, otherSpellings) else {
      if isRequired {
        fields.problems.add(fields.place(name), "This member is required (\(schema().phrase)).")
      }
      return
    }
    // Null is none where that is something, else as if nothing were said.
    if value.isNull, isRequired || !schema().isNullable {
      if isRequired {
        fields.problems.add(fields.place(name), "This member is required (\(schema().phrase)).")
      }
      return
    }
    reading(value, fields.place(place), fields.problems, &owner)
  }
}

extension String {
  /// `num_trials` for `numTrials` and the other way round; the same for a name of one word.
  package var inOtherConvention: String {
    if contains("_") {
      let words = split(separator: "_")
      return words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
    return reduce(into: "") { text, character in
      if character.isUppercase { text += "_" + character.lowercased() } else { text.append(character) }
    }
  }
}

/// The property that a member is kept in.
package typealias MemberPath<Owner, Value> = any WritableKeyPath<Owner, Value> & Sendable

/// A request without members.
package struct NoMembers: SchemaObject {
  package static let members: [Member<Self>] = []
  package init() {}
}
