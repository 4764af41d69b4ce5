import Evaluation
import Failures
import JSON
import Jobs
import LanguageModels
import Messages
import Schema
import Statistics

/// A tool's result: the method's own, and a few lines of text for agents that read no more.
enum AgentResult {
  /// How much text an agent is given of a result that has no summary of its own.
  private static let longest = 20_000

  /// - Parameter left: what the session may still spend, after a call of a method that spends.
  static func success(_ result: JSONValue, left: Budget.Limits?) -> JSONObject {
    var structured = result.objectValue ?? ["result": result]
    var text = summary(result) ?? shortened(result.text())
    if let left {
      structured["left"] = .object(left.given)
      text += "\n" + words(left)
    }
    return [
      "content": [["type": "text", "text": .string(text)]], "structuredContent": .object(structured), "isError": false,
    ]
  }

  /// An error that the agent's model is to see and can mend.
  static func failure(_ error: HoneError, left: Budget.Limits?) -> JSONObject {
    var data = ErrorData(error)
    data.cause = nil
    for index in data.problems.indices { data.problems[index].got = nil }
    let object = JSONObject([("message", .string(error.message))]).merging(data.jsonValue.objectValue ?? [:])
    let run = error.details["runId"].map { "\nrun \($0)" } ?? ""
    var structured: JSONObject = ["error": .object(object)]
    if let left { structured["left"] = .object(left.given) }
    let text = error.description + run + (left.map { "\n" + words($0) } ?? "")
    return [
      "content": [["type": "text", "text": .string(text)]], "structuredContent": .object(structured), "isError": true,
    ]
  }

  private static func words(_ left: Budget.Limits) -> String { "left for this session: \(AgentTerms.words(left))" }

  /// What a compile, an evaluation or a prediction came to; nil for other results.
  private static func summary(_ result: JSONValue) -> String? {
    if let answer = PredictResult(json: result), answer.traceID != nil {
      return answer.outputs.map { "\($0.key): \($0.value.stringValue ?? $0.value.text())" }.joined(separator: "\n")
    }
    guard let job = JobOutline(json: result), let run = job.runID, let status = job.status else { return nil }
    guard status != "RUNNING" else { return "run \(run) is under way; follow it with watchRun, stop it with cancelRun" }
    var lines: [String] = []
    if let score = job.score {
      var line = "score \(scoreText(score, job.interval))"
      if let baseline = job.baselineScore { line += ", baseline \(twoDecimals(baseline))" }
      if let count = job.count { line += " on \(count) examples, \(job.failed ?? 0) failed" }
      if let verdict = job.comparison?.verdict { line += " (\(verdict.rawValue))" }
      lines.append(line)
    }
    if job.isSimulated { lines.append("simulated model: says nothing about real models") }
    if let usage = job.usage?.total {
      let cost = usage.cost.map { ", $\($0)" } ?? ""
      lines.append("\(usage.calls) calls, \(usage.tokens.totalTokens) tokens\(cost)\(usage.estimateNote)")
    }
    if let error = job.error { lines.append("\(status): \(error.message)") }
    lines.append("run \(run)" + (job.program == nil ? "" : "; its best program is {\"run\": \"\(run)\"}"))
    return lines.joined(separator: "\n")
  }

  private static func shortened(_ text: String) -> String {
    text.utf8.count <= longest ? text : text.prefix(longest) + "… (the whole is in structuredContent)"
  }
}
