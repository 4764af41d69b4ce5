package import JSON

/// An object that is sent, and read again by those who asked for it: members that say nothing are left out, and members
/// may be added in time, so that readers pass over what they do not know.
package protocol ResultObject: SchemaObject {}

extension ResultObject {
  package var jsonValue: JSONValue { .object(given) }

  /// The members as they are described. Those that are always there are required; no default counts.
  package static var fields: [Schema.Field] {
    let defaults = Self()
    return members.map { member in
      var field = member.field(of: defaults)
      field.defaultValue = nil
      field.isRequired = member.isAlwaysWritten
      field.isNullWritten = member.isAlwaysWritten
      return field
    }
  }

  package static var schema: Schema {
    var schema = Schema(.object(fields), summary)
    schema.isOpen = true
    return schema
  }

  package static func read(_ value: JSONValue, at place: String, _ problems: ProblemList) -> Self? {
    guard let fields = FieldReader(value, path: place, problems: problems) else { return nil }
    let before = problems.problems.count
    let object = known(from: fields)
    return problems.problems.count == before ? object : nil
  }

  /// From what was answered; nil where it is something else: a member that is always there is missing, or of another kind.
  package init?(json value: JSONValue) {
    let needed = Self.members.filter(\.isAlwaysWritten)
    guard let object = value.objectValue, needed.allSatisfy({ object[$0.name] != nil }),
      let read = Self.read(value, at: "", ProblemList())
    else { return nil }
    self = read
  }
}
