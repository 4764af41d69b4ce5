package import Failures
package import JSON
package import LanguageModels
package import Traces

/// Who asks, of which model, and where the spans go: what an execution needs besides the program and inputs.
package struct ExecutionContext: Sendable {
  package var model: ModelClient
  package var call: CallContext
  /// Where spans are collected; nil: nothing is traced.
  package var trace: TraceBuilder?
  package var parent: TraceBuilder.Handle?
  /// Options in place of the model's own (a rollout's temperature).
  package var options: SamplingOptions?
  /// A row that must not be shown as a demo, because it is the one being asked.
  package var hiddenDemo: JSONObject?

  package init(model: ModelClient, call: CallContext, trace: TraceBuilder? = nil) {
    self.model = model
    self.call = call
    self.trace = trace
  }
}

/// One predictor's part in an execution: what demos are made of.
package struct PredictorStep: Sendable, Hashable {
  /// The predictor's place in the program.
  package var predictor: Int
  package var inputs: JSONObject
  package var outputs: JSONObject
}

/// What a program gave.
package struct Prediction: Sendable {
  package var outputs: JSONObject
  package var steps: [PredictorStep]
  /// The outputs of every completion, where more than one was asked for.
  package var completions: [JSONObject]

  package init(outputs: JSONObject, steps: [PredictorStep] = [], completions: [JSONObject] = []) {
    self.outputs = outputs
    self.steps = steps
    self.completions = completions
  }
}

/// A program made ready to run many times: the messages that its calls begin with are made once.
package final class PreparedProgram: Sendable {
  package let program: Program
  private let adapters: [ChatAdapter]
  private let shared: [SharedMessages]

  package init(_ program: Program) {
    self.program = program
    adapters = program.predictors.indices.map { ChatAdapter(program.signature(at: $0)) }
    shared = zip(adapters, program.states).map { $0.sharedMessages(demos: $1.demos) }
  }

  /// Runs the program once.
  ///
  /// - Parameter inputs: a value for each input field; others are passed over.
  /// - Throws: `programInvalid` for a missing input, `outputUnparsable`, or what the model client throws.
  package func run(_ inputs: JSONObject, in context: ExecutionContext) async throws(HoneError) -> Prediction {
    let missing = program.module.inputs.map(\.name).filter { inputs[$0] == nil }
    guard missing.isEmpty else {
      throw HoneError(
        .programInvalid,
        "The program needs \(missing.map { "\"\($0)\"" }.joined(separator: ", ")), which the inputs do not have.",
        remedy: "Inputs are \(program.module.inputs.map(\.name).joined(separator: ", ")).")
    }
    return try await run(program.module, firstPredictor: 0, inputs: inputs, in: context)
  }

  private func run(
    _ module: Module, firstPredictor: Int, inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    switch module {
    case .predict(let signature):
      return try await predict(firstPredictor, pick(signature.inputs, from: inputs), in: context)
    case .chainOfThought(let signature):
      let given = pick(signature.inputs, from: inputs)
      return try await spanned("ChainOfThought.forward", inputs: given, signature: module, in: context) { inner throws(HoneError) in
        try await self.predict(firstPredictor, given, in: inner)
      }
    case .pipeline(let steps, let outputs):
      let given = pick(module.inputs, from: inputs)
      return try await spanned("Pipeline.forward", inputs: given, signature: module, in: context) { inner throws(HoneError) in
        try await self.runSteps(steps, outputs: outputs, inputs: given, in: inner)
      }
    }
  }

  private func runSteps(
    _ steps: [Module.Step], outputs: [String], inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    var results: [String: JSONObject] = [:]
    var trail: [PredictorStep] = []
    var predictor = 0
    for step in steps {
      var stepInputs = JSONObject()
      for source in step.sources {
        let value = source.step.map { results[$0]?[source.output] } ?? inputs[source.output]
        stepInputs[source.field] = value ?? .null
      }
      let prediction = try await run(step.module, firstPredictor: predictor, inputs: stepInputs, in: context)
      predictor += step.module.predictors.count
      results[step.name] = prediction.outputs
      trail += prediction.steps
    }
    var final = JSONObject()
    for name in outputs {
      let giver = steps.last { $0.module.outputs.contains { $0.name == name } }
      final[name] = giver.flatMap { results[$0.name]?[name] } ?? .null
    }
    return Prediction(outputs: final, steps: trail)
  }

  private func pick(_ fields: [Field], from values: JSONObject) -> JSONObject {
    var result = JSONObject()
    for field in fields { result.append(field.name, values[field.name] ?? .null) }
    return result
  }

  /// One model call and, if its reply cannot be read, one more that shows what was wrong.
  private func predict(
    _ index: Int, _ inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    let adapter = adapters[index]
    let span = context.trace?.begin(
      "Predict.forward", .llm, parent: context.parent, inputs: .json(.object(inputs)),
      attributes: ["signature": .string(adapter.signature.text), "predictor": .string(program.predictors[index].name)])
    var inner = context
    inner.parent = span
    do throws(HoneError) {
      let completions = try await complete(index, adapter, inputs, in: inner)
      let outputs = completions[0]
      if let span { context.trace?.end(span, outputs: .json(.object(outputs))) }
      return Prediction(
        outputs: outputs, steps: [PredictorStep(predictor: index, inputs: inputs, outputs: outputs)],
        completions: completions.count > 1 ? completions : [])
    } catch {
      if let span { context.trace?.end(span, error: (error.kind.rawValue, error.message)) }
      throw error
    }
  }

  private func complete(
    _ index: Int, _ adapter: ChatAdapter, _ inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> [JSONObject] {
    var prompt = format(index, adapter, inputs, in: context)
    var correcting = false
    while true {
      let answer = try await ask(prompt, in: context)
      do throws(UnparsableReply) {
        return try parse(answer.reply.texts, adapter, in: context)
      } catch {
        guard !correcting else {
          throw HoneError(
            .outputUnparsable,
            "The model's reply to \(program.predictors[index].name) could not be read, twice: \(error.reason)",
            remedy: "Look at the trace for the whole reply; a stronger model or simpler output types help.",
            details: ["reply": String(error.reply.prefix(500))])
        }
        correcting = true
        prompt.own += [ChatMessage(.assistant, error.reply), adapter.correction(of: error)]
      }
    }
  }

  private func format(
    _ index: Int, _ adapter: ChatAdapter, _ inputs: JSONObject, in context: ExecutionContext
  ) -> Prompt {
    let demos = program.states[index].demos
    let span = context.trace?.begin(
      "ChatAdapter.format", .parser, parent: context.parent,
      inputs: .json([
        "signature": .string(adapter.signature.text), "instructions": .string(adapter.signature.instructions),
        "demos": .int(demos.count), "inputs": .object(inputs),
      ]))
    var messages = shared[index]
    if let hidden = context.hiddenDemo {
      let shown = demos.filter { !isSameRow($0, hidden) }
      if shown.count != demos.count { messages = adapter.sharedMessages(demos: shown) }
    }
    let prompt = Prompt(shared: messages, own: [adapter.request(inputs)])
    if let span { context.trace?.end(span, outputs: .prompt(prompt)) }
    return prompt
  }

  private func isSameRow(_ demo: JSONObject, _ row: JSONObject) -> Bool {
    demo.filter { $0 != "augmented" } == row
  }

  private func ask(_ prompt: Prompt, in context: ExecutionContext) async throws(HoneError) -> ModelAnswer {
    guard let trace = context.trace else {
      return try await context.model.complete(prompt, options: context.options, context: context.call)
    }
    let configuration = context.model.configuration
    let options = context.options ?? configuration.sampling
    var attributes: JSONObject = ["model": .string(configuration.model), "role": .string(context.call.role.rawValue)]
    for (key, value) in options.json { attributes[key] = value }
    if configuration.isSimulated { attributes["simulated"] = true }
    let span = trace.begin("LM.__call__", .chatModel, parent: context.parent, inputs: .prompt(prompt), attributes: attributes)
    do throws(HoneError) {
      let answer = try await context.model.complete(prompt, options: context.options, context: context.call)
      let usage = answer.reply.usage
      trace.count(usage, cost: answer.cost)
      var more: JSONObject = [
        "cached": .bool(answer.source == .cache),
        "mlflow.chat.tokenUsage": [
          "input_tokens": .int(usage.inputTokens), "output_tokens": .int(usage.outputTokens),
          "total_tokens": .int(usage.totalTokens),
        ],
      ]
      if let cost = answer.cost { more["cost"] = .double(cost) }
      trace.end(span, outputs: .json(.array(answer.reply.texts.map(JSONValue.string))), attributes: more)
      return answer
    } catch {
      trace.end(span, error: (error.kind.rawValue, error.message))
      throw error
    }
  }

  private func parse(
    _ texts: [String], _ adapter: ChatAdapter, in context: ExecutionContext
  ) throws(UnparsableReply) -> [JSONObject] {
    let span = context.trace?.begin(
      "ChatAdapter.parse", .parser, parent: context.parent,
      inputs: .json(["completion": .string(texts.first ?? "")]))
    do throws(UnparsableReply) {
      var completions: [JSONObject] = []
      for text in texts.isEmpty ? [""] : texts { completions.append(try adapter.parse(text)) }
      if let span { context.trace?.end(span, outputs: .json(.object(completions[0]))) }
      return completions
    } catch {
      if let span { context.trace?.end(span, error: ("outputUnparsable", error.reason)) }
      throw error
    }
  }

  /// Runs `body` under a span for a module that calls others.
  private func spanned(
    _ name: String, inputs: JSONObject, signature: Module, in context: ExecutionContext,
    _ body: (ExecutionContext) async throws(HoneError) -> Prediction
  ) async throws(HoneError) -> Prediction {
    guard let trace = context.trace else { return try await body(context) }
    let span = trace.begin(
      name, .chain, parent: context.parent, inputs: .json(.object(inputs)),
      attributes: ["signature": .string(signature.signatureText)])
    var inner = context
    inner.parent = span
    do throws(HoneError) {
      let prediction = try await body(inner)
      trace.end(span, outputs: .json(.object(prediction.outputs)))
      return prediction
    } catch {
      trace.end(span, error: (error.kind.rawValue, error.message))
      throw error
    }
  }
}
