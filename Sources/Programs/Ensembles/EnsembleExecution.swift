import Failures
import JSON
import LanguageModels
import Traces

/// An ensemble with what its runs need at hand.
struct EnsemblePlan: Sendable {
  var ensemble: EnsembleProgram
  var programs: [PreparedProgram.Plan]
  var inputs: [String]
  var outputs: [String]
  var text: String
}

extension PreparedProgram {
  /// Runs all programs at once and takes what most of them say. One whose reply cannot be read, or is refused, has no
  /// vote; other failures are the ensemble's.
  func runEnsemble(
    _ plan: EnsemblePlan, inputs: JSONObject, in context: ExecutionContext
  ) async throws(HoneError) -> Prediction {
    let span = context.trace?.begin(
      "Ensemble.forward", .chain, parent: context.parent, inputs: .json(.object(inputs)),
      attributes: ["signature": .string(plan.text)])
    var inner = context
    inner.parent = span
    do throws(HoneError) {
      let results = await results(plan, inputs: inputs, in: inner)
      let (prediction, votes) = try elected(plan, results)
      if let span {
        context.trace?.end(
          span, outputs: .json(.object(prediction.outputs)),
          attributes: [
            "reduce": .string(plan.ensemble.reduce.rawValue), "field": .string(plan.ensemble.field),
            "votes": .int(votes), "programs": .int(results.count),
            "confidence": .double((Double(votes) / Double(results.count) * 10_000).rounded() / 10_000),
          ])
      }
      return prediction
    } catch {
      if let span { context.trace?.end(span, error: (error.kind.rawValue, error.message)) }
      throw error
    }
  }

  /// What each program gave, in their order.
  private func results(
    _ plan: EnsemblePlan, inputs: JSONObject, in context: ExecutionContext
  ) async -> [Result<Prediction, HoneError>] {
    await withTaskGroup(of: (Int, Result<Prediction, HoneError>).self) { group in
      for (index, program) in plan.programs.enumerated() {
        var context = context
        // Programs may ask the same: where answers are not shared, each asks for itself.
        context.call.scope += "/\(EnsembleProgram.name(index))"
        let own = context
        group.addTask { (index, await self.result(of: program, EnsembleProgram.name(index), inputs: inputs, in: own)) }
      }
      return await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  private func result(
    of program: Plan, _ name: String, inputs: JSONObject, in context: ExecutionContext
  ) async -> Result<Prediction, HoneError> {
    do throws(HoneError) {
      return .success(
        try await spanned(name, inputs: inputs, signature: "", in: context) { inner throws(HoneError) in
          try await self.run(program, inputs: inputs, in: inner)
        })
    } catch {
      return .failure(error)
    }
  }

  private func elected(
    _ plan: EnsemblePlan, _ results: [Result<Prediction, HoneError>]
  ) throws(HoneError) -> (Prediction, votes: Int) {
    let errors = results.compactMap { result in if case .failure(let error) = result { error } else { nil } }
    if let error = errors.first(where: { !$0.kind.isUnreadable && !$0.kind.isRefusal }) { throw error }
    let predictions = results.compactMap { try? $0.get() }
    let vote = MajorityVote(predictions.map { MajorityVote.ballot($0.outputs[plan.ensemble.field]) })
    guard let winner = vote.winner else {
      throw errors.first ?? HoneError(.programInvalid, "The ensemble has no program.")
    }
    return (
      Prediction(outputs: pick(plan.outputs, from: predictions[winner].outputs), steps: predictions.flatMap(\.steps)),
      vote.votes
    )
  }
}
