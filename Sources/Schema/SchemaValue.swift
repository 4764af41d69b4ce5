package import JSON

/// A type whose values are read from JSON and written to it, and that says what may stand where one is expected.
package protocol SchemaValue: Sendable {
  static var schema: Schema { get }

  /// Reads a value.
  ///
  /// - Parameters:
  ///   - place: its path from the request's root, for messages.
  ///   - problems: hears everything that is wrong.
  /// - Returns: nil where anything is wrong.
  static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self?

  /// The value as it is written.
  var jsonValue: JSONValue { get }
}

/// A number that can be held to a range.
package protocol SchemaNumber: SchemaValue, Comparable {
  static func schema(in range: ClosedRange<Self>) -> Schema
}

extension String: SchemaValue {
  package static var schema: Schema { Schema(.string) }
  package var jsonValue: JSONValue { .string(self) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> String? {
    if let text = value.stringValue { return text }
    problems.expected("a string", at: place, got: value)
    return nil
  }
}

extension Bool: SchemaValue {
  package static var schema: Schema { Schema(.boolean) }
  package var jsonValue: JSONValue { .bool(self) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Bool? {
    if let flag = value.boolValue { return flag }
    problems.expected("true or false", at: place, got: value)
    return nil
  }
}

extension Int: SchemaNumber {
  package static var schema: Schema { schema(in: .min ... .max) }
  package static func schema(in range: ClosedRange<Int>) -> Schema { Schema(.integer(range)) }
  package var jsonValue: JSONValue { .int(self) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Int? {
    if let number = value.intValue { return number }
    problems.expected("a whole number", at: place, got: value)
    return nil
  }

  /// A range in words, after the name of what it bounds; nothing where there is no bound.
  static func bounds(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (.min, .max): ""
    case (let least, .max): " of at least \(least)"
    case (let least, let most): " from \(least) to \(most)"
    }
  }
}

extension Double: SchemaNumber {
  package static var schema: Schema { schema(in: -.infinity ... .infinity) }
  package static func schema(in range: ClosedRange<Double>) -> Schema { Schema(.number(range)) }
  package var jsonValue: JSONValue { .double(self) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Double? {
    if let number = value.doubleValue { return number }
    problems.expected("a number", at: place, got: value)
    return nil
  }

  /// A range in words, after the name of what it bounds; nothing where there is no bound.
  static func bounds(_ range: ClosedRange<Double>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (-.infinity, .infinity): ""
    case (let least, .infinity): " of at least \(least)"
    case (let least, let most): " from \(least) to \(most)"
    }
  }
}

extension JSONValue: SchemaValue {
  package static var schema: Schema { Schema(.any) }
  package var jsonValue: JSONValue { self }
  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> JSONValue? { value }
}

extension JSONObject: SchemaValue {
  package static var schema: Schema { .anyObject }
  package var jsonValue: JSONValue { .object(self) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> JSONObject? {
    if let object = value.objectValue { return object }
    problems.expected("an object", at: place, got: value)
    return nil
  }
}

extension Optional: SchemaValue where Wrapped: SchemaValue {
  package static var schema: Schema { Wrapped.schema.orNull }
  package var jsonValue: JSONValue { self?.jsonValue ?? .null }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Wrapped?? {
    value.isNull ? .some(nil) : Wrapped.read(value, at: place, problems).map(Optional.some)
  }
}

extension Array: SchemaValue where Element: SchemaValue {
  package static var schema: Schema { Schema(.array(Element.schema)) }
  package var jsonValue: JSONValue { .array(map(\.jsonValue)) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> [Element]? {
    // One text stands for a list of one.
    if let text = value.stringValue, let only = text as? Element { return [only] }
    guard let elements = value.arrayValue else {
      problems.expected(schema.phrase, at: place, got: value)
      return nil
    }
    let read = elements.enumerated().map { index, element in Element.read(element, at: "\(place)[\(index)]", problems) }
    let whole = read.compactMap(\.self)
    return whole.count == read.count ? whole : nil
  }
}

extension Dictionary: SchemaValue where Key == String, Value: SchemaValue {
  package static var schema: Schema { Schema(.map(Value.schema)) }
  package var jsonValue: JSONValue {
    .object(JSONObject(sorted { $0.key < $1.key }.map { ($0.key, $0.value.jsonValue) }))
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> [String: Value]? {
    guard let object = value.objectValue else {
      problems.expected("an object", at: place, got: value)
      return nil
    }
    var read: [String: Value] = [:]
    for (name, member) in object { read[name] = Value.read(member, at: "\(place).\(name)", problems) }
    return read.count == object.count ? read : nil
  }
}

/// One of a closed set of words.
package protocol SchemaChoice: SchemaValue, CaseIterable, RawRepresentable where RawValue == String {
  /// What the word means; nothing where it says so itself.
  var summary: String { get }
}

extension SchemaChoice {
  package var summary: String { "" }
  package static var schema: Schema { Schema(.choice(allCases.map { Schema.Word($0.rawValue, $0.summary) })) }
  package var jsonValue: JSONValue { .string(rawValue) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? {
    if let known = value.stringValue.flatMap(Self.init(rawValue:)) { return known }
    problems.notAmong(allCases.map(\.rawValue), at: place, got: value)
    return nil
  }
}
