package import JSON

/// What a client's functions are asked for, and under which name `initialize` lists them.
package enum CallbackKind: String, CaseIterable {
  case metrics, languageModels, tools, programs

  package var method: String {
    switch self {
    case .metrics: "metric/score"
    case .languageModels: "languageModel/complete"
    case .tools: "tool/call"
    case .programs: "program/forward"
    }
  }

  var noun: String {
    switch self {
    case .metrics: "metric"
    case .languageModels: "language model"
    case .tools: "tool"
    case .programs: "program"
    }
  }
}

/// The functions that a client said it serves. A kind that it said nothing of is trusted to be there.
package struct ServedCallbacks: Sendable {
  private var names: [CallbackKind: [String]] = [:]
  /// The beginning of a sentence that says what is not served.
  package private(set) var lead = "The client said in initialize that it serves"

  package init() {}

  /// The functions of the process itself that a call was given; each kind is known.
  package init(given names: [CallbackKind: [String]]) {
    lead = "This call was given"
    for kind in CallbackKind.allCases { self.names[kind] = names[kind] ?? [] }
  }

  /// From the parameters of `initialize`: `capabilities.callbacks`, or `initializationOptions.callbacks` for editors
  /// whose capabilities are not their own to state.
  package init(initialize params: JSONObject) {
    let stated = params["capabilities"]?["callbacks"] ?? params["initializationOptions"]?["callbacks"]
    for kind in CallbackKind.allCases {
      guard let list = stated?[kind.rawValue]?.arrayValue else { continue }
      names[kind] = list.compactMap(\.stringValue)
    }
  }

  /// The names of that kind; nil if nothing was said.
  package subscript(kind: CallbackKind) -> [String]? { names[kind] }
}
