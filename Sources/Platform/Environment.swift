/// The process's environment.
package enum Environment {
  /// A variable's value; nil where it is not set or empty.
  package static func value(_ name: String) -> String? {
    guard let pointer = getenv(name) else { return nil }
    let text = String(cString: pointer)
    return text.isEmpty ? nil : text
  }

  /// From where relative paths count; empty where that is gone.
  package static var currentDirectory: String {
    guard let pointer = getcwd(nil, 0) else { return "" }
    defer { free(pointer) }
    return String(cString: pointer)
  }
}
