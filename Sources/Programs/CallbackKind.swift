/// What a client's functions are asked for, and under which name `initialize` lists them.
package enum CallbackKind: String, CaseIterable, Sendable {
  case metrics, languageModels, tools, programs, proposers

  package var method: String {
    switch self {
    case .metrics: "metric/score"
    case .languageModels: "languageModel/complete"
    case .tools: "tool/call"
    case .programs: "program/forward"
    case .proposers: "optimizer/propose"
    }
  }

  package var noun: String {
    switch self {
    case .metrics: "metric"
    case .languageModels: "language model"
    case .tools: "tool"
    case .programs: "program"
    case .proposers: "proposer"
    }
  }
}
