import Evaluation
import Failures
import JSON
import LanguageModels
import Optimizers
import Programs

/// What a compile came to, and how it is told.
struct CompileAnswer {
  let job: CompileJob
  let result: CompileResult
  let outcome: RunOutcome
  let error: HoneError?
  let seconds: Double
  /// In which form the model was asked, where that was decided.
  let adapter: AdapterDecision?

  func json(warnings: [String]) -> JSONObject {
    let (order, run) = (job.order, job.run)
    let program = result.program
    var object: JSONObject = [
      "runId": JSONValue(run.id), "experimentId": .string(run.experimentID), "status": .string(outcome.word),
      "score": JSONValue(result.best?.result.score), "interval": result.best?.result.interval?.json ?? .null,
      "baselineScore": JSONValue(result.baseline?.result.score),
      "bestRunId": JSONValue(order.autolog.evals ? result.best?.evaluation.id : nil),
      "program": .object(StateFile.encode(program)), "programId": .string(job.service.load(program)),
      "artifactUri": JSONValue(
        run.id.map { "mlflow-artifacts:/\(run.experimentID)/\($0)/artifacts/best_model.json" }),
      "trials": .array(result.trials.map { .object($0.json(namesRun: order.autolog.evals)) }),
      "usage": .object(run.account.usage.json), "seconds": .double((seconds * 1000).rounded() / 1000),
    ]
    if let adapter { object["adapter"] = .object(adapter.json) }
    if let best = result.best ?? result.baseline { object["replies"] = best.result.replies.json }
    if let comparison { object["comparison"] = comparison }
    if order.taskModel.configuration.isSimulated { object["simulated"] = true }
    if !warnings.isEmpty { object["warnings"] = .array(warnings.map(JSONValue.string)) }
    if let error { object["error"] = error.json }
    if let id = run.id, outcome != .finished { object["resumeCommand"] = .string(resumeCommand(id, home: job.service.home)) }
    return object
  }

  /// Whether the best program is better than the student on the same rows, and how surely.
  private var comparison: JSONValue? {
    guard let best = result.best?.result, let baseline = result.baseline?.result,
      result.best?.number != result.baseline?.number, best.coverage == 1, baseline.coverage == 1,
      best.examples.map(\.row) == baseline.examples.map(\.row)
    else { return nil }
    let comparison = PairedComparison(
      baseline: baseline.examples.map { $0.score ?? 0 }, candidate: best.examples.map { $0.score ?? 0 })
    return comparison.map { .object($0.json) }
  }
}
