import Basics
import JSON

/// The inputs of a predictor's demos, so that a row is never shown the demo that was made of it, or of one that reads the
/// same: a model that only copies would be taken for one that knows.
struct DemoInputs: Sendable {
  /// For each demo its inputs' texts by name.
  private let demos: [[(name: String, text: String)]]

  /// - Parameter names: the inputs that tell rows apart.
  init(_ demos: [JSONObject], names: [String]) {
    self.demos = demos.map { demo in
      names.compactMap { name in demo[name].map { (name, Self.text($0)) } }
    }
  }

  /// The demos that were not made of a row with these inputs; nil where that is all of them.
  func places(besides inputs: JSONObject) -> [Int]? {
    guard !demos.isEmpty else { return nil }
    var texts: [String: String] = [:]
    func text(_ name: String) -> String? {
      if let known = texts[name] { return known }
      guard let value = inputs[name] else { return nil }
      let text = Self.text(value)
      texts[name] = text
      return text
    }
    let shown = demos.indices.filter { place in
      let demo = demos[place]
      return demo.isEmpty || demo.contains { text($0.name) != $0.text }
    }
    return shown.count == demos.count ? nil : shown
  }

  private static func text(_ value: JSONValue) -> String { comparableText(value.stringValue ?? value.text()) }
}
