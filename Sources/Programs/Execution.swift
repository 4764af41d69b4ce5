package import Basics
package import Failures
package import JSON
package import LanguageModels
import Messages
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
  /// Whether demos that were made of the row being asked, or of one that reads the same, are not shown.
  package var leavesOneOut = false
  /// What makes vectors of texts, for programs whose rows have a model's.
  package var vectorizer: ModelClient?
  /// For each of the program's pools of rows those nearest to its inputs, the nearest first.
  var nearest: [[Neighbours.Choice]] = []
  /// The client that runs host programs and tools.
  package var callbacks: Callbacks?
  /// Counts how replies come out; nil: nobody asks.
  package var tally: ReplyTally?

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

  package init(predictor: Int, inputs: JSONObject, outputs: JSONObject) {
    self.predictor = predictor
    self.inputs = inputs
    self.outputs = outputs
  }
}

/// What a program gave.
package struct Prediction: Sendable {
  package var outputs: JSONObject
  package var steps: [PredictorStep]
  /// The outputs of every completion that could be read, where there are several.
  package var completions: [JSONObject]

  package init(outputs: JSONObject, steps: [PredictorStep] = [], completions: [JSONObject] = []) {
    self.outputs = outputs
    self.steps = steps
    self.completions = completions
  }
}

/// A program made ready to run many times: what does not depend on the inputs is made once.
package final class PreparedProgram: Sendable {
  package let program: Program
  /// What tells the program from others: structure, instructions and demos.
  package let digest: ContentDigest
  let adapters: [Adapter]
  let shared: [SharedMessages]
  private let demoInputs: [DemoInputs]
  /// Rows that demos are chosen from, and for each predictor which of them are its own.
  let pools: [DemoPool]
  private let poolOf: [Int?]
  /// In what an unreadable reply is asked for afresh; nil: it is not.
  let others: [Adapter]?
  /// The predictors' signatures in text form, as spans show them.
  private let signatureTexts: [String]
  let plan: Plan

  /// A module with what its runs need at hand.
  indirect enum Plan: Sendable {
    case predict(predictor: Int, inputs: [String])
    case chainOfThought(predictor: Int, inputs: [String], text: String)
    case pipeline([PlannedStep], inputs: [String], outputs: [String], text: String)
    case react(ReActPlan)
    case ensemble(EnsemblePlan)
    case host(HostPlan)

    /// The inputs that must be there.
    var inputs: [String] {
      switch self {
      case .predict(_, let names), .chainOfThought(_, let names, _), .pipeline(_, let names, _, _): names
      case .react(let plan): plan.inputs
      case .ensemble(let plan): plan.inputs
      case .host(let plan): plan.inputs
      }
    }
  }

  struct PlannedStep: Sendable {
    var name: String
    var plan: Plan
    var sources: [Module.Source]
    var outputs: [String]
  }

  /// - Parameter asksAgain: whether a reply that cannot be read is asked for once more.
  package init(_ program: Program, asksAgain: Bool = true) {
    self.program = program
    digest = .of(JSONValue.object(StateFile.encode(program)).encoded())
    let format = program.adapter ?? .chat
    adapters = program.predictors.indices.map { Adapter(program.signature(at: $0), format) }
    others = asksAgain ? adapters.map { Adapter($0.signature, $0.format.other) } : nil
    shared = zip(adapters, program.states).map { $0.sharedMessages(demos: $1.demos) }
    signatureTexts = adapters.map(\.signature.text)
    let rowInputs = Set(program.module.inputs.map(\.name))
    demoInputs = zip(adapters, program.states).map { adapter, state in
      // What an earlier step made differs from run to run: the row's own inputs tell it, where there are any.
      let names = adapter.signature.inputs.map(\.name)
      let own = names.filter(rowInputs.contains)
      return DemoInputs(state.demos, names: own.isEmpty ? names : own)
    }
    (pools, poolOf) = DemoPool.pools(of: program)
    var predictors = 0
    plan = Self.plan(program.module, &predictors)
  }

  /// - Parameter predictors: how many predictors stand before the module; counted up by its own.
  private static func plan(_ module: Module, _ predictors: inout Int) -> Plan {
    let inputs = module.inputs.map(\.name)
    switch module {
    case .predict:
      predictors += 1
      return .predict(predictor: predictors - 1, inputs: inputs)
    case .chainOfThought:
      predictors += 1
      return .chainOfThought(predictor: predictors - 1, inputs: inputs, text: module.signatureText)
    case .pipeline(let steps, let outputs):
      var planned: [PlannedStep] = []
      for step in steps {
        planned.append(
          PlannedStep(
            name: step.name, plan: plan(step.module, &predictors), sources: step.sources,
            outputs: step.module.outputs.map(\.name)))
      }
      return .pipeline(planned, inputs: inputs, outputs: outputs, text: module.signatureText)
    case .react(let program):
      predictors += 2
      return .react(
        ReActPlan(
          program: program, react: predictors - 2, extract: predictors - 1, inputs: inputs, text: module.signatureText))
    case .ensemble(let ensemble):
      return .ensemble(
        EnsemblePlan(
          ensemble: ensemble, programs: ensemble.programs.map { plan($0, &predictors) }, inputs: inputs,
          outputs: ensemble.outputs.map(\.name), text: module.signatureText))
    case .host(let host):
      var parts: [String: Plan] = [:]
      for part in host.parts { parts[part.name] = plan(part.module, &predictors) }
      return .host(HostPlan(host: host, parts: parts, inputs: inputs, text: module.signatureText))
    }
  }

  /// Runs the program once.
  ///
  /// - Parameter inputs: a value for each input field; others are passed over.
  /// - Throws: `programInvalid` for a missing input, `outputUnparsable`, or what the model client throws.
  package func run(_ inputs: JSONObject, in context: ExecutionContext) async throws(HoneError) -> Prediction {
    let names = plan.inputs
    if names.contains(where: { inputs[$0] == nil }) { throw refusal(of: inputs, needed: names, in: context) }
    if pools.isEmpty { return try await run(plan, inputs: inputs, in: context) }
    return try await spanned(
      "KNN.forward", inputs: pick(names, from: inputs), signature: program.module.signatureText, in: context
    ) { inner throws(HoneError) in
      var inner = inner
      for pool in self.pools { inner.nearest.append(try await pool.nearest(to: inputs, in: inner)) }
      return try await self.run(self.plan, inputs: inputs, in: inner)
    }
  }

  /// The error for inputs that lack some; the trace gets a root span that says so.
  private func refusal(of inputs: JSONObject, needed: [String], in context: ExecutionContext) -> HoneError {
    let missing = needed.filter { inputs[$0] == nil }
    let error = HoneError(
      .programInvalid,
      "The program needs \(missing.map { "\"\($0)\"" }.joined(separator: ", ")), which the inputs do not have.",
      remedy: "Inputs are \(needed.joined(separator: ", ")).")
    if let trace = context.trace {
      let span = trace.begin(program.traceName, .chain, parent: context.parent, inputs: .json(.object(inputs)))
      trace.end(span, error: (error.kind.rawValue, error.message))
    }
    return error
  }

  func run(
    _ plan: Plan, inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    switch plan {
    case .predict(let predictor, let names):
      return try await predict(predictor, pick(names, from: inputs), in: context)
    case .chainOfThought(let predictor, let names, let text):
      let given = pick(names, from: inputs)
      return try await spanned("ChainOfThought.forward", inputs: given, signature: text, in: context) {
        inner throws(HoneError) in try await self.predict(predictor, given, in: inner)
      }
    case .pipeline(let steps, let names, let outputs, let text):
      let given = pick(names, from: inputs)
      return try await spanned("Pipeline.forward", inputs: given, signature: text, in: context) {
        inner throws(HoneError) in try await self.runSteps(steps, outputs: outputs, inputs: given, in: inner)
      }
    case .react(let plan):
      let given = pick(plan.inputs, from: inputs)
      return try await spanned("ReAct.forward", inputs: given, signature: plan.text, in: context) {
        inner throws(HoneError) in try await self.runTurns(plan, inputs: given, in: inner)
      }
    case .ensemble(let plan): return try await runEnsemble(plan, inputs: pick(plan.inputs, from: inputs), in: context)
    case .host(let plan):
      let given = plan.host.inputs(from: inputs)
      return try await spanned("\(plan.host.name).forward", inputs: given, signature: plan.text, in: context) {
        inner throws(HoneError) in try await self.runHost(plan, inputs: given, in: inner)
      }
    }
  }

  private func runSteps(
    _ steps: [PlannedStep], outputs: [String], inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    var results: [String: JSONObject] = [:]
    var trail: [PredictorStep] = []
    for step in steps {
      var stepInputs = JSONObject()
      for source in step.sources {
        let giver = source.step.map { results[$0] } ?? inputs
        stepInputs.append(source.field, giver?[source.output] ?? .null)
      }
      let prediction = try await run(step.plan, inputs: stepInputs, in: context)
      results[step.name] = prediction.outputs
      trail += prediction.steps
    }
    var final = JSONObject()
    for name in outputs {
      let giver = steps.last { $0.outputs.contains(name) }
      final[name] = giver.flatMap { results[$0.name]?[name] } ?? .null
    }
    return Prediction(outputs: final, steps: trail)
  }

  func pick(_ names: [String], from values: JSONObject) -> JSONObject {
    if values.keys == names { return values }
    var result = JSONObject()
    for name in names { result.append(name, values[name] ?? .null) }
    return result
  }

  func predict(
    _ index: Int, _ inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    let span = context.trace?.begin(
      "Predict.forward", .llm, parent: context.parent, inputs: .json(.object(inputs)),
      attributes: ["signature": .string(signatureTexts[index]), "predictor": .string(program.predictors[index].name)])
    var inner = context
    inner.parent = span
    do throws(HoneError) {
      let completions = try await complete(index, inputs, in: inner)
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

  /// The predictor's demos that are chosen for these inputs, or less those that must not be shown; nil where that makes no
  /// difference.
  func shownDemos(_ index: Int, _ inputs: JSONObject, in context: ExecutionContext) -> [JSONObject]? {
    if let pool = poolOf[index], context.nearest.indices.contains(pool) {
      // What stands nearest to the question is heeded most.
      return program.states[index].nearest?.demos(of: context.nearest[pool].map(\.row)).reversed()
    }
    guard context.leavesOneOut, let places = demoInputs[index].places(besides: inputs) else { return nil }
    let demos = program.states[index].demos
    return places.map { demos[$0] }
  }

  func format(
    _ index: Int, _ adapter: Adapter, _ messages: SharedMessages, _ inputs: JSONObject, in context: ExecutionContext
  ) -> Prompt {
    let span = context.trace?.begin(
      "\(adapter.format.className).format", .parser, parent: context.parent,
      inputs: .json([
        "signature": .string(signatureTexts[index]), "instructions": .string(adapter.signature.instructions),
        "demos": .int(messages.messages.count / 2), "inputs": .object(inputs),
      ]))
    let prompt = Prompt(shared: messages, own: [adapter.request(inputs)])
    if let span { context.trace?.end(span, outputs: .prompt(prompt)) }
    return prompt
  }

  func ask(
    _ prompt: Prompt, _ adapter: Adapter, in context: ExecutionContext
  ) async throws(HoneError) -> ModelAnswer {
    let configuration = context.model.configuration
    var options = context.options ?? configuration.sampling
    options.schema = adapter.schema
    guard let trace = context.trace else {
      return try await context.model.complete(prompt, options: options, context: context.call)
    }
    var attributes: JSONObject = ["model": .string(configuration.model), "role": .string(context.call.role.rawValue)]
    for (key, value) in options.json { attributes[key] = value }
    if configuration.isSimulated { attributes["simulated"] = true }
    let span = trace.begin(
      "LM.__call__", .chatModel, parent: context.parent, inputs: .prompt(prompt), attributes: attributes)
    do throws(HoneError) {
      let answer = try await context.model.complete(prompt, options: options, context: context.call)
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
      if !answer.reply.finishReasons.isEmpty {
        more["finish_reasons"] = .array(answer.reply.finishReasons.map(JSONValue.string))
      }
      trace.end(span, outputs: .json(.array(answer.reply.texts.map(JSONValue.string))), attributes: more)
      return answer
    } catch {
      trace.end(span, error: (error.kind.rawValue, error.message))
      throw error
    }
  }

  /// The completions that can be read; the first one's fault if none can.
  ///
  /// - Parameter areDraws: whether the completions are tries at one answer, and count as one reply.
  func parse(
    _ reply: ModelReply, _ adapter: Adapter, in context: ExecutionContext, areDraws: Bool = false
  ) throws(UnparsableReply) -> [JSONObject] {
    let span = context.trace?.begin(
      "\(adapter.format.className).parse", .parser, parent: context.parent,
      inputs: .json(["completion": .string(reply.texts.first ?? "")]))
    do throws(UnparsableReply) {
      let completions = try readable(reply, adapter, context.tally, areDraws: areDraws)
      if let span { context.trace?.end(span, outputs: .json(.object(completions[0]))) }
      return completions
    } catch {
      if let span { context.trace?.end(span, error: ("outputUnparsable", error.reason)) }
      throw error
    }
  }

  private func readable(
    _ reply: ModelReply, _ adapter: Adapter, _ tally: ReplyTally?, areDraws: Bool
  ) throws(UnparsableReply) -> [JSONObject] {
    var completions: [JSONObject] = []
    var fault: UnparsableReply?
    var counts = ReplyCounts()
    for index in reply.texts.indices {
      let completion = reply.completion(index)
      counts.replies += 1
      if completion.isCut { counts.cut += 1 }
      do throws(UnparsableReply) {
        let read = try adapter.read(completion)
        if read.isRepaired { counts.repaired += 1 }
        completions.append(read.outputs)
      } catch {
        counts.unreadable += 1
        fault = fault ?? error
      }
    }
    tally?.add(areDraws ? counts.asDraws : counts)
    if !completions.isEmpty { return completions }
    if let fault { throw fault }
    return [try adapter.parse("")]
  }

  /// Runs `body` under a span for a module that calls others.
  func spanned(
    _ name: String, inputs: JSONObject, signature: String, in context: ExecutionContext,
    _ body: (ExecutionContext) async throws(HoneError) -> Prediction
  ) async throws(HoneError) -> Prediction {
    guard let trace = context.trace else { return try await body(context) }
    let span = trace.begin(
      name, .chain, parent: context.parent, inputs: .json(.object(inputs)),
      attributes: signature.isEmpty ? [:] : ["signature": .string(signature)])
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

extension ModelReply {
  /// One of its completions, as far as reading it goes.
  func completion(_ index: Int) -> Completion {
    Completion(
      texts.indices.contains(index) ? texts[index] : "",
      reasoning: reasoning.indices.contains(index) ? reasoning[index] : "",
      isCut: finishReasons.indices.contains(index) && finishReasons[index] == FinishReason.cut)
  }
}
