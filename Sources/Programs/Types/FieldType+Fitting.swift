import JSON

extension FieldType {
  /// `value` as this type, or nil; then `faults` says what is wrong where: `.year should be at most 2030, got 2099`.
  ///
  /// - Parameter place: where the value stands within the whole: `.events[0]`.
  func fit(_ value: JSONValue, at place: String, _ faults: inout [String]) -> JSONValue? {
    switch (self, value) {
    case (.record(let record), .object(let object)): return record.fit(object, at: place, &faults)
    case (.bounded(let type, let bounds), _):
      guard let fitting = type.fit(value, at: place, &faults) else { return nil }
      guard let fault = bounds.fault(of: fitting) else { return fitting }
      faults.append("\(place) should be \(fault), got \(value.excerpt).")
      return nil
    case (.list(let type), .array(let elements)) where type.needsSchema:
      let fitting = elements.enumerated().compactMap { type.fit($1, at: "\(place)[\($0)]", &faults) }
      guard fitting.count == elements.count else { return nil }
      return .array(fitting)
    case (.dict(_, let type), .object(let object)) where type.needsSchema:
      var fitting = JSONObject()
      for (key, member) in object {
        if let member = type.fit(member, at: "\(place).\(key)", &faults) { fitting.append(key, member) }
      }
      guard fitting.count == object.count else { return nil }
      return .object(fitting)
    case (.optional(let wrapped), _) where wrapped.needsSchema && !value.isNull && value.stringValue == nil:
      return wrapped.fit(value, at: place, &faults)
    default:
      if let fitting = coerce(value) { return fitting }
      faults.append("\(place) should be \(name), got \(value.excerpt).")
      return nil
    }
  }

  /// What is wrong in a value, each with its place within it.
  func faults(of value: JSONValue) -> [String] {
    guard needsSchema else { return [] }
    var faults: [String] = []
    _ = fit(value, at: "", &faults)
    return faults
  }

  /// What is wrong in what a text holds.
  func faults(inText text: String) -> [String] {
    switch self {
    case .bounded(let type, let bounds) where !type.needsSchema:
      if case .success(let reading) = type.read(text), let fault = bounds.fault(of: reading.value) {
        return [" should be \(fault), got \(reading.value.excerpt)."]
      }
      return []
    case .optional(let wrapped): return wrapped.faults(inText: text)
    default:
      guard needsSchema else { return [] }
      let value = LenientJSON.reading(text)?.value ?? LenientJSON.firstObject(in: text).map(JSONValue.object)
      return value.map(faults) ?? []
    }
  }
}

extension RecordType {
  func fit(_ object: JSONObject, at place: String, _ faults: inout [String]) -> JSONValue? {
    let before = faults.count
    let found = members(of: object)
    var result = JSONObject()
    for (index, field) in fields.enumerated() {
      let inner = "\(place).\(field.name)"
      switch found.named[index] {
      case nil where field.defaultValue != nil, .null? where field.defaultValue != nil && !field.type.admitsNull:
        result.append(field.name, field.defaultValue ?? .null)
      case nil where field.type.admitsNull && field.isRequired: result.append(field.name, .null)
      case nil where !field.isRequired, .null? where !field.isRequired && !field.type.admitsNull: continue
      case nil: faults.append("\(inner) is missing.")
      case let value?:
        if let fitting = field.type.fit(value, at: inner, &faults) { result.append(field.name, fitting) }
      }
    }
    for (name, value) in found.others {
      switch others {
      case .dropped: continue
      case .refused: faults.append("\(place).\(name) is not a field.")
      case .kept(let type):
        if let fitting = type.fit(value, at: "\(place).\(name)", &faults) { result.append(name, fitting) }
      }
    }
    guard faults.count == before else { return nil }
    return .object(result)
  }

  /// Each field's member, by its name, else by the one that differs in case and separators alone (`First Name` for
  /// `first_name`); and what is left.
  private func members(of object: JSONObject) -> (named: [JSONValue?], others: [(String, JSONValue)]) {
    func folded(_ name: String) -> String { name.lowercased().filter { !"_- ".contains($0) } }
    var taken: Set<String> = []
    var named = fields.map { field -> JSONValue? in
      guard let value = object[field.name] else { return nil }
      taken.insert(field.name)
      return value
    }
    for (index, field) in fields.enumerated() where named[index] == nil {
      let like = object.keys.filter { !taken.contains($0) && folded($0) == folded(field.name) }
      guard like.count == 1, let name = like.first else { continue }
      taken.insert(name)
      named[index] = object[name]
    }
    return (named, object.filter { !taken.contains($0.key) }.map { ($0.key, $0.value) })
  }
}
