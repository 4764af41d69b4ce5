package import JSON

/// A JSON object with named fields, each of its own type: what Pydantic calls a model, and Python a data class.
package struct RecordType: Sendable, Hashable {
  package struct Field: Sendable, Hashable {
    package var name: String
    package var type: FieldType
    /// What it holds, in words for the model; empty if nobody said.
    package var description = ""
    package var isRequired = true
    /// What it is where it is missing.
    package var defaultValue: JSONValue?

    package init(_ name: String, _ type: FieldType) {
      self.name = name
      self.type = type
    }
  }

  /// What becomes of members that no field has the name of.
  package enum Others: Sendable, Hashable {
    /// They are left out, as Pydantic does unless told otherwise.
    case dropped
    case refused
    case kept(FieldType)
  }

  /// What it is called: a class's name; empty if it has none.
  package var name = ""
  package var description = ""
  package var fields: [Field] = []
  package var others = Others.dropped

  package init() {}
}
