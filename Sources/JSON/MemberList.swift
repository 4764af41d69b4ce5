/// Collects the members of an object whose names may repeat, in a time that grows with their number alone. Of two with one
/// name the last wins and keeps the first one's place.
package struct MemberList: Sendable {
  private var keys: [String] = []
  private var values: [JSONValue] = []
  /// Few members are compared name by name; from 16 on a table finds repeats.
  private var places: [String: Int] = [:]

  package init() {}

  package var object: JSONObject { JSONObject(uncheckedKeys: keys, values: values) }

  package mutating func set(_ key: String, _ value: JSONValue) {
    if keys.count == 16, places.isEmpty {
      places = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1, $0) })
    }
    if let place = keys.count < 16 ? keys.firstIndex(of: key) : places[key] {
      values[place] = value
    } else {
      if keys.count >= 16 { places[key] = keys.count }
      keys.append(key)
      values.append(value)
    }
  }
}
