import JSON

/// The structure of a program, as data: which predictors it has and how values flow between them.
package indirect enum Module: Sendable, Hashable {
  /// One model call on the signature.
  case predict(Signature)
  /// One model call on the signature with an output `reasoning` put before its others.
  case chainOfThought(Signature)
  /// Named steps, one after the other.
  case pipeline([Step], outputs: [String])

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
  package static let names = ["Predict", "ChainOfThought", "Pipeline"]

  /// The class name as tracking shows it.
  package var className: String {
    switch self {
    case .predict: "Predict"
    case .chainOfThought: "ChainOfThought"
    case .pipeline: "Pipeline"
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
    }
  }

  /// Inputs to outputs in the text form of a signature.
  package var signatureText: String { Signature(inputs: inputs, outputs: outputs, instructions: "").text }
}

/// One predictor of a program: its name in state files and its signature, instructions as written.
package struct Predictor: Sendable, Hashable {
  package var name: String
  package var signature: Signature
}

extension Module {
  /// The predictors in order, under the names DSPy gives them: `self` for a bare `Predict`, `predict` for a
  /// `ChainOfThought`, `step` or `step.predict` within a pipeline.
  package var predictors: [Predictor] {
    switch self {
    case .predict(let signature): [Predictor(name: "self", signature: signature)]
    case .chainOfThought(let signature):
      [Predictor(name: "predict", signature: signature.prepending(Self.reasoning))]
    case .pipeline(let steps, _):
      steps.flatMap { step in
        step.module.predictors.map { inner in
          Predictor(name: inner.name == "self" ? step.name : "\(step.name).\(inner.name)", signature: inner.signature)
        }
      }
    }
  }
}
