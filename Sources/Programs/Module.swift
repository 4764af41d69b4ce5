import JSON

/// The structure of a program, as data: which predictors it has and how values flow between them.
package indirect enum Module: Sendable, Hashable {
  /// One model call on the signature.
  case predict(Signature)
  /// One model call on the signature with an output `reasoning` put before its others.
  case chainOfThought(Signature)
  /// Named steps, one after the other.
  case pipeline([Step], outputs: [String])
  /// Turns of thought and tool calls, then an answer.
  case react(ReActProgram)
  /// Programs of one signature that vote.
  case ensemble(EnsembleProgram)
  /// Predictors that the client's own code calls.
  case host(HostProgram)

  /// One step of a pipeline.
  package struct Step: Sendable, Hashable {
    package var name: String
    package var module: Module
    /// For each input of the step where its value comes from.
    package var sources: [Source]
  }

  /// Where a step's input comes from: an input of the program (`step` nil) or an output of an earlier step.
  package struct Source: Sendable, Hashable {
    package var field: String
    package var step: String?
    package var output: String
  }

  /// The names under which a request may ask for a module.
  package static let names = ["Predict", "ChainOfThought", "ReAct", "Pipeline", "Ensemble"]

  /// The class name as tracking shows it.
  package var className: String {
    switch self {
    case .predict: "Predict"
    case .chainOfThought: "ChainOfThought"
    case .pipeline: "Pipeline"
    case .react: "ReAct"
    case .ensemble: "Ensemble"
    case .host(let host): host.name
    }
  }

  package static let reasoning = Field("reasoning", description: "${reasoning}")

  /// What the program as a whole takes.
  package var inputs: [Field] {
    switch self {
    case .predict(let signature), .chainOfThought(let signature): return signature.inputs
    case .pipeline(let steps, _):
      var result: [Field] = []
      for step in steps {
        for source in step.sources where source.step == nil && !result.contains(where: { $0.name == source.output }) {
          guard var field = step.module.inputs.first(where: { $0.name == source.field }) else { continue }
          field.name = source.output
          result.append(field)
        }
      }
      return result
    case .react(let program): return program.signature.inputs
    case .ensemble(let ensemble): return ensemble.programs.first?.inputs ?? []
    case .host(let host): return host.inputs
    }
  }

  /// What the program as a whole gives.
  package var outputs: [Field] {
    switch self {
    case .predict(let signature): return signature.outputs
    case .chainOfThought(let signature): return [Self.reasoning] + signature.outputs
    case .pipeline(let steps, let names):
      return names.compactMap { name in
        steps.last { $0.module.outputs.contains { $0.name == name } }?.module.outputs.first { $0.name == name }
      }
    case .react(let program): return [ReActProgram.trajectory, Self.reasoning] + program.signature.outputs
    case .ensemble(let ensemble): return ensemble.outputs
    case .host(let host): return host.signature?.outputs ?? []
    }
  }

  /// Inputs to outputs in the text form of a signature; empty where neither is known.
  package var signatureText: String {
    let (inputs, outputs) = (inputs, outputs)
    return inputs.isEmpty && outputs.isEmpty ? "" : Signature(inputs: inputs, outputs: outputs, instructions: "").text
  }
}

extension Module {
  /// The client's functions that executions call: the host's name, the tools' names.
  package var hostName: String? {
    if case .host(let host) = self { host.name } else { nil }
  }

  /// What is known of a program beside its predictors, for models that write instructions; nil if nothing is.
  package var outline: String? {
    guard case .host(let host) = self else { return nil }
    let whole = signatureText.isEmpty ? "" : ", \(signatureText)"
    let description = host.description.isEmpty ? "" : "\n\(host.description.prefix(20_000))\n"
    return "The program \(host.name)\(whole), runs code that calls these steps, each any number of times:\(description)"
  }

  package var toolNames: [String] {
    switch self {
    case .predict, .chainOfThought: []
    case .pipeline(let steps, _): steps.flatMap(\.module.toolNames)
    case .react(let program): program.tools.map(\.name)
    case .ensemble(let ensemble): ensemble.programs.flatMap(\.toolNames)
    case .host(let host): host.parts.flatMap(\.module.toolNames)
    }
  }
}

extension Module {
  /// This host program with its inputs named; nil for what knows its inputs already.
  package func naming(inputs: [String]) -> Module? {
    guard case .host(var host) = self, host.signature == nil, host.inputNames == nil else { return nil }
    host.inputNames = inputs
    return .host(host)
  }
}

/// One predictor of a program: its name in state files and its signature, instructions as written.
package struct Predictor: Sendable, Hashable {
  package var name: String
  package var signature: Signature
  /// What its instructions must say, whoever writes them.
  package var mustSay: String?
}

extension Module {
  /// The predictors in order, under the names DSPy gives them: `self` for a bare `Predict`, `predict` for a
  /// `ChainOfThought`, `react` and `extract.predict` for a `ReAct`, `step` or `step.predict` within another program,
  /// `programs[0]` or `programs[0].predict` within an ensemble.
  package var predictors: [Predictor] {
    switch self {
    case .predict(let signature): [Predictor(name: "self", signature: signature)]
    case .chainOfThought(let signature):
      [Predictor(name: "predict", signature: signature.prepending(Self.reasoning))]
    case .pipeline(let steps, _):
      steps.flatMap { $0.module.predictors(under: $0.name) }
    case .react(let program):
      [
        Predictor(name: "react", signature: program.react, mustSay: program.toolText),
        Predictor(name: "extract.predict", signature: program.extract.prepending(Self.reasoning)),
      ]
    case .ensemble(let ensemble):
      ensemble.programs.enumerated().flatMap { $1.predictors(under: EnsembleProgram.name($0)) }
    case .host(let host): host.parts.flatMap { $0.module.predictors(under: $0.name) }
    }
  }

  /// The predictors as they are named within a larger program.
  private func predictors(under name: String) -> [Predictor] {
    predictors.map { inner in
      var copy = inner
      copy.name = inner.name == "self" ? name : "\(name).\(inner.name)"
      return copy
    }
  }
}
