package import JSON

/// A name and a value: a tag or a parameter.
package struct KeyValue: Sendable, Hashable {
  package var key: String
  package var value: String

  package init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }
}

extension Sequence<KeyValue> {
  /// The value under a key, if any.
  package func value(of key: String) -> String? { first { $0.key == key }?.value }

  /// The pairs as an object, in their order.
  package var object: JSONObject { JSONObject(map { ($0.key, .string($0.value)) }) }
}

/// Whether an experiment or run is in use, or was deleted and may be restored.
package enum Lifecycle: String, Sendable {
  case active, deleted
}

/// Which of the active and the deleted a listing shows.
package enum ViewType: String, Sendable, CaseIterable {
  case activeOnly = "ACTIVE_ONLY"
  case deletedOnly = "DELETED_ONLY"
  case all = "ALL"
}

/// One page of a listing, and the token that asks for the next one; nil on the last.
package struct Page<Element: Sendable>: Sendable {
  package var items: [Element]
  package var nextPageToken: String?

  package init(items: [Element], nextPageToken: String? = nil) {
    self.items = items
    self.nextPageToken = nextPageToken
  }
}

/// A named group of runs and traces. Its id is a decimal number; `0` is `Default` and always there.
package struct Experiment: Sendable, Hashable {
  package var id: String
  package var name: String
  package var lifecycle: Lifecycle
  /// Milliseconds since 1970, UTC.
  package var created: Int
  package var updated: Int
  /// In the order of their keys.
  package var tags: [KeyValue]

  /// Where its runs' artifacts are, as a URI.
  package var artifactLocation: String { "mlflow-artifacts:/\(id)" }
}
