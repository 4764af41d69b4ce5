/// The members of a JSON object in their order. A name stands once.
///
/// Look-up is linear: the objects that are looked into by name are small, and large ones are
/// walked, not searched.
public struct JSONObject: Sendable, Hashable {
  public private(set) var keys: [String] = []
  public private(set) var values: [JSONValue] = []

  public init() {}

  /// From members in order; of two with one name the last wins and keeps the first one's place.
  public init(_ members: some Sequence<(String, JSONValue)>) {
    var list = MemberList()
    for (key, value) in members { list.set(key, value) }
    self = list.object
  }

  /// For those who have made sure that no name stands twice.
  init(uncheckedKeys keys: [String], values: [JSONValue]) {
    self.keys = keys
    self.values = values
  }

  public var count: Int { keys.count }
  public var isEmpty: Bool { keys.isEmpty }

  public subscript(key: String) -> JSONValue? {
    get { keys.firstIndex(of: key).map { values[$0] } }
    set {
      switch (keys.firstIndex(of: key), newValue) {
      case (let index?, let value?):
        values[index] = value
      case (let index?, nil):
        keys.remove(at: index)
        values.remove(at: index)
      case (nil, let value?):
        keys.append(key)
        values.append(value)
      case (nil, nil):
        break
      }
    }
  }

  /// Adds a member whose name the caller knows to be new; spares the look-up.
  public mutating func append(_ key: String, _ value: JSONValue) {
    keys.append(key)
    values.append(value)
  }

  /// The members whose names pass the test, in order.
  /// Sets the members that have a value here; the others stay as they are.
  package mutating func set(_ members: KeyValuePairs<String, JSONValue?>) {
    for (key, value) in members { if let value { self[key] = value } }
  }

  public func filter(_ isIncluded: (String) -> Bool) -> JSONObject {
    var result = JSONObject()
    for (key, value) in self where isIncluded(key) { result.append(key, value) }
    return result
  }

  /// These members, then those of `other`, which win where a name stands in both.
  public func merging(_ other: JSONObject) -> JSONObject {
    var list = MemberList()
    for (key, value) in self { list.set(key, value) }
    for (key, value) in other { list.set(key, value) }
    return list.object
  }
}

extension JSONObject: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { keys.count }
  public subscript(position: Int) -> (key: String, value: JSONValue) { (keys[position], values[position]) }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
