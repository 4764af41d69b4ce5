public import JSON

/// How to search for better instructions and demos: an optimizer with its settings.
///
///     let optimizer = Optimizer.miprov2(auto: .light, seed: 1)
public struct Optimizer: Sendable {
  /// The optimizer's name, as DSPy has it.
  public let name: String
  let json: JSONValue

  /// An optimizer by name, with its settings; `hone optimizers` lists both. Wrong ones are refused by `compile`.
  public init(_ name: String, settings: JSONObject = [:]) {
    self.name = name
    json = .object(JSONObject([("name", .string(name))]).merging(settings))
  }
}
