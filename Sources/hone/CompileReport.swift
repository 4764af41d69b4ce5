import ArgumentParser
import Foundation
import JSON

/// The result of a compile for a person: trials, baseline and best, what it cost, what to do next.
enum CompileReport {
  static func text(_ result: JSONValue) -> String {
    var lines: [String] = []
    if result["simulated"]?.boolValue == true {
      lines.append("(simulated model: scores show how the search works, not what a real model can do)")
    }
    let trials = result["trials"]?.arrayValue ?? []
    if !trials.isEmpty {
      let best = result["bestRunId"]?.stringValue
      var rows = [["trial", "evaluation", "score", "95 % interval", "rows", "best so far", "choice"]]
      for trial in trials {
        let mark = trial["runId"]?.stringValue == best && best != nil ? " *" : ""
        rows.append([
          trial["number"]?.text() ?? "", trial["name"]?.stringValue ?? "", number(trial["score"]) + mark,
          interval(trial["interval"]), trial["count"]?.text() ?? "", number(trial["bestSoFar"]),
          coordinates(trial["coordinates"]),
        ])
      }
      lines.append(columns(rows))
    }
    let baseline = result["baselineScore"]
    if let score = result["score"], !score.isNull {
      lines.append("")
      lines.append("baseline \(number(baseline)) -> best \(number(score)) \(interval(result["interval"]))")
      if let comparison = result["comparison"], let verdict = comparison["verdict"]?.stringValue {
        lines.append(
          "on the same rows: \(verdict) (\(number(comparison["difference"])) points, p = \(short(comparison["pValue"]?.doubleValue)))")
      }
    }
    lines += WorkReport.replies(result) + WorkReport.ending(result)
    if let run = result["runId"]?.stringValue {
      lines.append("")
      lines.append("run \(run)")
      lines.append("  hone runs --parent \(run)")
      lines.append("  hone predict --program \(run) question=\"…\"")
    }
    return lines.joined(separator: "\n")
  }

  static func number(_ value: JSONValue?) -> String {
    guard let number = value?.doubleValue else { return "-" }
    return String(format: "%.2f", number)
  }

  static func short(_ value: Double?) -> String { value.map { String(format: "%.2g", $0) } ?? "-" }

  static func interval(_ value: JSONValue?) -> String {
    guard let low = value?[0], let high = value?[1] else { return "" }
    return "[\(number(low)), \(number(high))]"
  }

  private static func coordinates(_ value: JSONValue?) -> String {
    (value?.objectValue ?? [:]).map { key, value in
      "\(key.replacingOccurrences(of: "_predictor_", with: ":")) \(value.text())"
    }.joined(separator: ", ")
  }
}

/// Rows as columns, each as wide as its widest cell.
func columns(_ rows: [[String]]) -> String {
  let count = rows.map(\.count).max() ?? 0
  let widths = (0..<count).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
  return rows.map { row in
    row.enumerated().map { index, cell in
      index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}

func writeText(_ path: String, _ text: String) throws {
  do {
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  } catch {
    throw ValidationError("\(path) cannot be written: \(error.localizedDescription)")
  }
}
