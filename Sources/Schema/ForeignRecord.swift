package import JSON

/// A record in another system's form, which that system's own specification describes: its members have a name and a
/// kind here, and no sentence.
///
/// It is read leniently: a member of another kind counts as left out, unknown ones are passed over, and both conventions
/// of names are taken. A member that is nil, an empty list or an empty object is not written.
package protocol ForeignRecord: SchemaObject {}

extension ForeignRecord {
  /// What `value` says; every member left out where it is no object.
  package init(_ value: JSONValue?) {
    self.init()
    guard let object = value?.objectValue else { return }
    // Nobody hears of problems here.
    let problems = ProblemList()
    for member in Self.members { member.take(from: object, into: &self, problems) }
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? { Self(value) }

  package static var schema: Schema {
    var schema = Schema(.object(fields), summary)
    schema.isOpen = true
    return schema
  }

  package var jsonObject: JSONObject {
    JSONObject(
      Self.members.compactMap { member in
        let value = member.write(self)
        let isNothing = value.isNull || value == [] || value == [:]
        return isNothing && !member.isAlwaysWritten ? nil : (member.name, value)
      })
  }

  package var jsonValue: JSONValue { .object(jsonObject) }
}

extension Member where Owner: ForeignRecord {
  /// - Parameter isAlwaysWritten: whether it is also written where it is nil or empty.
  package init<Value: SchemaValue>(_ name: String, _ path: MemberPath<Owner, Value>, isAlwaysWritten: Bool = false) {
    self.init(name, path, isAlwaysWritten: isAlwaysWritten, "")
  }
}

/// A whole number of 64 bits, which protobuf's JSON writes as text and others as a number. Both are read.
package protocol WideInteger: SchemaValue, Hashable, ExpressibleByIntegerLiteral where IntegerLiteralType == Int {
  var value: Int { get }
  init(_ value: Int)
}

extension WideInteger {
  package static var schema: Schema { Int.schema }

  package init(integerLiteral value: Int) { self.init(value) }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? {
    if let number = value.intValue { return Self(number) }
    if let text = value.stringValue {
      if let number = Int(text) { return Self(number) }
      if UInt64(text) != nil { return Self(.max) }
    }
    problems.expected("a whole number", at: place, got: value)
    return nil
  }
}

/// One that is written as a number.
package struct WideNumber: WideInteger {
  package var value: Int
  package init(_ value: Int) { self.value = value }
  package var jsonValue: JSONValue { .int(value) }
}

/// One that is written as text.
package struct WideText: WideInteger {
  package var value: Int
  package init(_ value: Int) { self.value = value }
  package var jsonValue: JSONValue { .string(String(value)) }
}
