import Failures
import JSON
import RegularExpressions

/// Reads a JSON Schema as the type that it describes: the part of the language that Pydantic, `dataclasses` and people
/// write (draft 2020-12; `definitions` of draft 7 too). What it cannot mean is refused, not passed over.
struct SchemaReader {
  private let root: JSONValue
  private let path: String
  private var fields = 0
  /// The references that are being followed.
  private var followed: [String] = []

  /// How deep types may be within each other, and how many fields there may be in all.
  static let maximumDepth = 16
  static let maximumFields = 500

  /// - Throws: `invalidParams`, saying where in the schema what cannot be used.
  static func type(_ schema: JSONValue, path: String) throws(HoneError) -> FieldType {
    var reader = SchemaReader(root: schema, path: path)
    return try reader.read(schema, at: "", depth: 0)
  }

  private init(root: JSONValue, path: String) {
    self.root = root
    self.path = path
  }

  private func failure(_ place: String, _ message: String, got: String? = nil) -> HoneError {
    let problem = Problem(
      path: path, message: "In the JSON Schema\(place.isEmpty ? "" : " at \(place.dropFirst())"): \(message)", got: got)
    return HoneError(.invalidParams, problem.description, problems: [problem])
  }

  private mutating func read(_ schema: JSONValue, at place: String, depth: Int) throws(HoneError) -> FieldType {
    guard depth <= Self.maximumDepth else {
      throw failure(place, "Types may be nested \(Self.maximumDepth) levels at most.")
    }
    if schema == true { return .any }
    guard let object = schema.objectValue else { throw failure(place, "Expected an object.", got: schema.excerpt) }
    if let word = [
      "not", "if", "patternProperties", "dependentSchemas", "dependentRequired", "$dynamicRef", "contains",
    ]
    .first(where: { object[$0] != nil }) {
      throw failure(place, "\"\(word)\" is not supported.", got: word)
    }
    if let reference = object["$ref"] {
      guard let name = reference.stringValue else { throw failure(place, "A \"$ref\" is a text.") }
      guard !followed.contains(name) else {
        throw failure(place, "\(name) refers to itself; recursive types are not supported.", got: name)
      }
      guard let target = resolved(name) else {
        throw failure(place, "There is no \(name) here; only references within the schema are followed.", got: name)
      }
      followed.append(name)
      defer { followed.removeLast() }
      return try read(target, at: place, depth: depth + 1)
    }
    if let all = object["allOf"] { return try read(joined(all, object, at: place), at: place, depth: depth + 1) }
    if let value = object["const"] { return .literal([value]) }
    if let values = object["enum"] {
      guard let values = values.arrayValue, !values.isEmpty, values.count <= 1000 else {
        throw failure(place, "An \"enum\" is a list of values.")
      }
      return .literal(values)
    }
    if let members = object["anyOf"] ?? object["oneOf"] { return try union(members, at: place, depth) }
    if let names = object["type"]?.arrayValue {
      let members = names.map { name -> JSONValue in
        var one = object
        one["type"] = name
        return .object(one)
      }
      return try union(.array(members), at: place, depth)
    }
    return try single(object, at: place, depth)
  }

  private func resolved(_ reference: String) -> JSONValue? {
    if reference == "#" { return root }
    guard reference.hasPrefix("#/") else { return nil }
    var value = root
    for part in reference.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
      guard let next = value[String(part).replacing("~1", with: "/").replacing("~0", with: "~")] else { return nil }
      value = next
    }
    return value
  }

  /// The schema that several that must all hold make together, where they are of objects or there is but one.
  private func joined(_ all: JSONValue, _ object: JSONObject, at place: String) throws(HoneError) -> JSONValue {
    guard let members = all.arrayValue, !members.isEmpty else {
      throw failure(place, "\"allOf\" is a list of schemas.")
    }
    var rest = object
    rest["allOf"] = nil
    var whole = JSONObject()
    for member in members + [.object(rest)] {
      var member = member
      var steps = 0
      while let name = member["$ref"]?.stringValue, let target = resolved(name), steps < Self.maximumDepth {
        member = target
        steps += 1
      }
      for (key, value) in member.objectValue ?? [:] where key != "$defs" && key != "definitions" {
        switch key {
        case "properties":
          let known = whole[key]?.objectValue ?? [:]
          whole[key] = .object(known.merging(value.objectValue ?? [:]))
        case "required": whole[key] = .array((whole[key]?.arrayValue ?? []) + (value.arrayValue ?? []))
        case "type", "title", "description", "default": whole[key] = value
        default:
          guard whole[key] == nil || whole[key] == value else {
            throw failure(place, "The schemas of \"allOf\" differ in \"\(key)\", which is not supported.", got: key)
          }
          whole[key] = value
        }
      }
    }
    return .object(whole)
  }

  private mutating func union(_ members: JSONValue, at place: String, _ depth: Int) throws(HoneError) -> FieldType {
    guard let members = members.arrayValue, !members.isEmpty, members.count <= 100 else {
      throw failure(place, "\"anyOf\" is a list of schemas.")
    }
    // Pydantic's decimals are numbers or their texts.
    let isDecimal = members.contains { $0["type"] == "number" }
    let own = members.filter { member in
      !(isDecimal && member["pattern"]?.stringValue?.hasPrefix("^(?!") == true)
    }
    var types: [FieldType?] = []
    for member in own {
      types.append(member["type"] == "null" ? nil : try read(member, at: place, depth: depth + 1))
    }
    return FieldType.joining(types)
  }

  private mutating func single(_ object: JSONObject, at place: String, _ depth: Int) throws(HoneError) -> FieldType {
    let kind = object["type"]?.stringValue
    switch kind ?? (object["properties"] != nil ? "object" : object["items"] != nil ? "array" : nil) {
    case nil:
      guard object["type"] == nil else { throw failure(place, "A \"type\" is a text or a list of texts.") }
      return .any
    case "string":
      switch object["format"]?.stringValue {
      case "date": return .date
      case "date-time": return .datetime
      case "time": return .time
      case let format:
        var bounds = try bounds(object, numbers: [], counts: TypeBounds.textWords, at: place)
        bounds.format = format
        bounds.pattern = try pattern(object, at: place)
        return FieldType.string.bounded(by: bounds)
      }
    case "integer", "number":
      let bounds = try bounds(object, numbers: TypeBounds.numberWords, counts: [], at: place)
      return (kind == "integer" ? FieldType.int : .float).bounded(by: bounds)
    case "boolean": return .bool
    case "null": return .literal([.null])
    case "array":
      if let elements = object["prefixItems"]?.arrayValue {
        var types: [FieldType] = []
        for (index, element) in elements.enumerated() {
          types.append(try read(element, at: "\(place)[\(index)]", depth: depth + 1))
        }
        return .tuple(types)
      }
      let element = try object["items"].map { (items) throws(HoneError) in
        try read(items, at: place + "[]", depth: depth + 1)
      }
      var bounds = try bounds(object, numbers: [], counts: TypeBounds.listWords, at: place)
      bounds.hasUniqueItems = object["uniqueItems"] == true
      return FieldType.list(element ?? .any).bounded(by: bounds)
    case "object": return try record(object, at: place, depth)
    case let other?: throw failure(place, "There is no type \"\(other)\".", got: other)
    }
  }

  private mutating func record(_ object: JSONObject, at place: String, _ depth: Int) throws(HoneError) -> FieldType {
    let others = object["additionalProperties"]
    guard let properties = object["properties"] else {
      guard let others, others != true, others != false else { return .dict(.string, .any) }
      return .dict(.string, try read(others, at: place + ".*", depth: depth + 1))
    }
    guard let properties = properties.objectValue else { throw failure(place, "\"properties\" is an object.") }
    var record = RecordType()
    record.name = object["title"]?.stringValue ?? ""
    record.description = object["description"]?.stringValue ?? ""
    let required = Set((object["required"]?.arrayValue ?? []).compactMap(\.stringValue))
    for name in required.sorted() where properties[name] == nil {
      throw failure(place, "\"\(name)\" is required and is not among the properties.", got: name)
    }
    for (name, schema) in properties {
      fields += 1
      guard fields <= Self.maximumFields else {
        throw failure(place, "A type may have \(Self.maximumFields) fields at most.")
      }
      var field = RecordType.Field(name, try read(schema, at: "\(place).\(name)", depth: depth + 1))
      field.description = schema["description"]?.stringValue ?? ""
      field.isRequired = required.contains(name)
      if let value = schema["default"] {
        guard let fitting = field.type.coerce(value) else {
          guard value.isNull, !field.isRequired else {
            throw failure("\(place).\(name)", "The default is no value of the field's type.", got: value.excerpt)
          }
          record.fields.append(field)
          continue
        }
        field.defaultValue = fitting
      }
      record.fields.append(field)
    }
    switch others {
    case false?: record.others = .refused
    case nil: record.others = .dropped
    case let schema?: record.others = .kept(try read(schema, at: place + ".*", depth: depth + 1))
    }
    return .record(record)
  }

  // MARK: Bounds

  private func bounds(
    _ object: JSONObject, numbers: [String], counts: [String], at place: String
  ) throws(HoneError) -> TypeBounds {
    var bounds = TypeBounds()
    for word in numbers {
      guard let value = object[word] else { continue }
      guard let number = value.doubleValue, number.isFinite, word != "multipleOf" || number > 0 else {
        throw failure(place, "\"\(word)\" is a number.", got: value.excerpt)
      }
      bounds.numbers[word] = value
    }
    for word in counts {
      guard let value = object[word] else { continue }
      guard let count = value.intValue, count >= 0 else {
        throw failure(place, "\"\(word)\" is a whole number.", got: value.excerpt)
      }
      bounds.counts[word] = count
    }
    return bounds
  }

  private func pattern(_ object: JSONObject, at place: String) throws(HoneError) -> RegularExpression? {
    guard let value = object["pattern"] else { return nil }
    guard let text = value.stringValue else { throw failure(place, "A \"pattern\" is a text.") }
    do throws(RegularExpression.SyntaxError) {
      return try RegularExpression(text)
    } catch {
      throw failure(place, "The pattern cannot be used: \(error).", got: text)
    }
  }
}

extension FieldType {
  func bounded(by bounds: TypeBounds) -> FieldType { bounds.isEmpty ? self : .bounded(self, bounds) }
}
