import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs

extension Reflection {
  /// What the client's function writes; nil where it has nothing, and where it failed, which is noted.
  ///
  /// - Throws: what ends the search: the client has gone, the run was cancelled, the store keeps nothing.
  func answer(of proposer: ClientProposer, to order: Order) async throws(HoneError) -> String? {
    guard let callbacks = task.session.callbacks else {
      throw HoneError(
        .clientGone, "There is no client that could be asked for \"\(proposer.client)\".",
        remedy: "Resume the run from a client that serves \"\(proposer.client)\".")
    }
    let question = Callback(question(order, proposer), timeout: proposer.timeout, failure: .programFailed)
    let session = task.session
    let call = CallContext(account: session.account, role: .prompt, scope: session.place + order.scope)
    tally.asked(.proposal)
    do throws(HoneError) {
      return try await session.gate.pass { () async throws(HoneError) in
        try await callbacks.ask(question, for: call) { answer throws(HoneError) in
          try ProposalAnswer.text(of: answer, to: question)
        }
      }?.trimmed
    } catch {
      if error.kind.endsRun || error.kind.stopsWork { throw error }
      tally.refused(.proposal, "failed (\(error.messageWithCause))")
      return nil
    }
  }

  private func question(_ order: Order, _ proposer: ClientProposer) -> ProposalQuestion {
    let predictor = order.program.predictors[order.predictor]
    var question = ProposalQuestion()
    question.name = proposer.client
    question.wanted = order.kind == .rule ? .rule : .instruction
    question.predictor = predictor.name
    question.signature = predictor.signature.text
    question.instruction = order.program.states[order.predictor].instructions
    question.rows = order.results.map { row($0, order) }
    question.rejected = order.rejected
    question.limit = order.limit
    return question
  }

  private func row(_ result: ExampleResult, _ order: Order) -> ProposalRow {
    // A step may run several times; the last one led to the answer.
    let step = result.steps.last { $0.predictor == order.predictor }
    var row = ProposalRow()
    row.example = result.example
    row.inputs = step?.inputs
    row.outputs = step?.outputs
    row.prediction = result.outputs
    row.score = result.score
    row.feedback = FailureText(program: order.program, metric: task.metric).verdict(result, order.predictor)
    row.error = result.error?.message
    return row
  }
}
