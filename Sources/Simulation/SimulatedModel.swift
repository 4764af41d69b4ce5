import Basics
import Failures
import JSON
package import LanguageModels
package import Messages
import Synchronization

/// The embedded model `simulated`: offline, free, deterministic, and said to be a simulation wherever
/// it shows. For trying things out, for tests and for benchmarks.
///
/// It knows the answers of the data sets it is given. Whether it gives them depends on the prompt: each
/// question has a fixed difficulty, which the prompt's skill (`SimulatedLandscape`) must exceed, so that an
/// optimizer has something true to find. Asked for an instruction, it writes one from its pool of
/// advice. Everything follows from the request's content: asked again, it answers the same.
package final class SimulatedModel: LanguageModel {
  package let identity: String
  package let endpoint = "simulated"
  package let isReproducible = true

  private let knowledge: SimulatedKnowledge
  private let beginnings = Mutex<[ContentDigest: SimulatedBeginning]>([:])

  /// - Parameter knowledge: rows of the caller's data sets. A row's outputs may hold its reasoning
  ///   as text under `reasoning`, `rationale` or `gold_reasoning`.
  package init(knowledge rows: KnownRows = KnownRows()) {
    knowledge = SimulatedKnowledge(rows)
    // Models that know different things answer differently, and must not share answers in a store.
    let fingerprint = knowledge.fingerprint
    identity = fingerprint == 0 ? "simulated" : "simulated/" + String(fingerprint, radix: 16)
  }

  package func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    if Task.isCancelled { throw ModelFailure(.callCancelled, retry: .never, spent: .nothing) }
    return reply(to: request)
  }

  func reply(to request: ModelRequest) -> ModelReply {
    let prompt = request.prompt
    let last = (prompt.own.last ?? prompt.shared.messages.last)?.content ?? ""
    let beginning = beginning(of: prompt)
    let text = SectionText(last)
    let turn = text.turn()
    let entry =
      knowledge.entry(for: turn.inputs.map(\.content))
      ?? knowledge.entry(for: turn.inputs.dropLast().map(\.content) + [turn.lastInputWhole])
    var seed = StableHash("call")
    seed.add(beginning.hash)
    seed.add(text.bytes)
    seed.add((request.options.temperature ?? 0).bitPattern)
    seed.add(UInt64(bitPattern: Int64(request.options.seed ?? -1)))
    seed.add(UInt64(bitPattern: Int64(request.rollout)))
    var reply = ModelReply(texts: [], model: "simulated")
    for choice in 0..<max(1, request.options.n) {
      var seed = seed
      seed.add(UInt64(choice))
      var random = StableGenerator(seed: seed.value)
      let answer = write(
        turn.outputs.isEmpty ? beginning.outputs : turn.outputs, entry, beginning, text.bytes,
        temperature: request.options.temperature ?? 0, &random)
      let (cut, reason) = bounded(answer, request.options.maxTokens)
      reply.texts.append(cut)
      reply.finishReasons.append(reason)
      reply.usage.outputTokens += tokens(cut.utf8.count)
    }
    reply.usage.inputTokens = tokens(beginning.bytes + last.utf8.count)
    return reply
  }

  /// About four bytes a token, as for English text.
  private func tokens(_ bytes: Int) -> Int { (bytes + 3) / 4 }

  private func bounded(_ answer: String, _ maxTokens: Int?) -> (String, reason: String) {
    guard let maxTokens, answer.utf8.count / 4 >= maxTokens else { return (answer, "stop") }
    return (String(decoding: answer.utf8.prefix(maxTokens * 4), as: UTF8.self), "length")
  }

  private func beginning(of prompt: Prompt) -> SimulatedBeginning {
    guard prompt.own.count == 1 else {
      return SimulatedBeginning(Array(prompt.messages.dropLast()), knowledge)
    }
    let digest = prompt.shared.digest
    if let known = beginnings.withLock({ $0[digest] }) { return known }
    let beginning = SimulatedBeginning(prompt.shared.messages, knowledge)
    beginnings.withLock { beginnings in
      if beginnings.count >= 512 { beginnings.removeAll(keepingCapacity: true) }
      beginnings[digest] = beginning
    }
    return beginning
  }

  // MARK: Answers

  private func write(
    _ fields: [String], _ entry: SimulatedKnowledge.Entry?, _ beginning: SimulatedBeginning, _ question: [UInt8],
    temperature: Double, _ random: inout StableGenerator
  ) -> String {
    guard !fields.isEmpty else { return "This is a reply of the simulated model." }
    let isReasoning = SimulatedKnowledge.reasoningNames.contains
    let reasons = fields.contains(where: isReasoning)
    let isRight = entry.map { solves($0, beginning, reasons: reasons, temperature, &random) }
    var text = ""
    for field in fields {
      text += "[[ ## "
      text += field
      text += " ## ]]\n"
      if isReasoning(field) {
        text += SimulatedWriter.reasoning(entry?.reasoning, isRight: isRight ?? false)
      } else if let entry, let isRight, let right = output(field, of: entry, among: fields) {
        text +=
          isRight
          ? SimulatedKnowledge.text(right)
          : SimulatedWriter.wrong(right, beginning.type(of: field), hash: entry.hash >> 7)
      } else if SimulatedWriter.wantsAdvice(field) {
        text += SimulatedWriter.instruction(prompt: beginning.lowercased + lowercased(question), random: &random)
      } else {
        text += SimulatedWriter.filler(field, beginning.type(of: field), random: &random)
      }
      text += "\n\n"
    }
    return text + "[[ ## completed ## ]]\n"
  }

  /// The row's value for a field: that of its name, or the only one where only one is asked for.
  private func output(
    _ field: String, of entry: SimulatedKnowledge.Entry, among fields: [String]
  ) -> JSONValue? {
    if let named = entry.outputs.first(where: { $0.name == field }) { return named.value }
    let asked = fields.filter { !SimulatedKnowledge.reasoningNames.contains($0) }
    guard entry.outputs.count == 1, asked.count == 1, !SimulatedWriter.wantsAdvice(field) else { return nil }
    return entry.outputs[0].value
  }

  /// Whether the prompt's skill exceeds the question's difficulty.
  private func solves(
    _ entry: SimulatedKnowledge.Entry, _ beginning: SimulatedBeginning, reasons: Bool, _ temperature: Double,
    _ random: inout StableGenerator
  ) -> Bool {
    var skill = beginning.skill
    if reasons { skill += SimulatedLandscape.reasoningWorth }
    let needed = entry.hash % UInt64(SimulatedLandscape.helpfulCount)
    if beginning.features.advice & (1 << UInt32(needed)) != 0 { skill += SimulatedLandscape.matchingAdviceWorth }
    let noise = 0.25 + 0.75 * min(max(temperature, 0), 2)
    skill += noise * (2 * random.unit() - 1)
    var difficulty = StableHash("difficulty")
    difficulty.add(entry.hash)
    return difficulty.unit < SimulatedLandscape.share(skill)
  }
}

func lowercased(_ bytes: [UInt8]) -> [UInt8] {
  bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
}
