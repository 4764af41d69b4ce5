import ArgumentParser
import Foundation
import HoneService
import JSON
import Schema
import Terminal
import Tracking

/// `hone gc`.
struct GarbageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Remove deleted runs for good, and give their space back to the disk.",
    discussion: """
      What only deleted runs refer to goes with them: parameters, metrics, results, traces, files, data sets. Deleted runs \
      stay if they are under way or a run that is not deleted refers to them. It says what it will remove and asks before \
      it does; Ctrl-C stops it between two steps, and the next gc goes on. Others may work with the store meanwhile.
      """)

  @OptionGroup var common: CommonOptions

  @Option(
    help: ArgumentHelp(
      "Also remove models' answers that were kept longer ago, except those of runs that can be resumed.",
      valueName: "days"))
  var answersOlderThan: Double?

  @Flag(help: "Say what would be removed, and remove nothing.")
  var dryRun = false

  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false

  func validate() throws {
    if let answersOlderThan, !(0...36_500).contains(answersOlderThan) {
      throw ValidationError("--answers-older-than should be a number of days from 0 to 36500.")
    }
    if !dryRun, !yes, isatty(STDIN_FILENO) == 0 {
      throw ValidationError("There is no terminal to ask at: say --yes to remove, or --dry-run to see what would go.")
    }
  }

  func run() async throws {
    var terms: JSONObject = [:]
    terms.set(["answersOlderThan": answersOlderThan.map(JSONValue.double)])
    let params = terms
    try await reporting {
      if !yes || dryRun {
        let result = try await Caller(common).call("collectGarbage", params.merging(["dryRun": true]), inStore: true)
        let found = GarbageRecord(json: result)
        guard !dryRun, let found else { return show(result, found) }
        if found.isEmpty { return show(result, found) }
        TerminalOutput.errors.line(Self.text(found))
        TerminalOutput.errors.line("Remove them? This cannot be undone. [y/N]")
        guard ["y", "yes"].contains(readLine()?.lowercased()) else {
          TerminalOutput.errors.line("Nothing is removed.")
          throw ExitCode(130)
        }
      }
      let result = try await Caller(common).call(
        "collectGarbage", params, inStore: true, progress: common.json ? nil : TerminalProgress())
      show(result, GarbageRecord(json: result))
    }
  }

  private func show(_ result: JSONValue, _ record: GarbageRecord?) {
    guard !common.json, let record else { return TerminalOutput.standard.json(result) }
    TerminalOutput.standard.line(Self.text(record))
  }

  static func text(_ record: GarbageRecord) -> String {
    let counts: [(Int, String, String)] = [
      (record.runs, "deleted run", "deleted runs"), (record.traces, "trace", "traces"),
      (record.models, "logged model", "logged models"), (record.datasets, "data set", "data sets"),
      (record.answers, "answer", "answers"), (record.texts ?? 0, "shared prompt text", "shared prompt texts"),
      (record.files, "file", "files"),
    ]
    let parts = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.0 == 1 ? $0.1 : $0.2)" }
    let bytes = record.databaseBytes + record.fileBytes
    let mebibytes = String(format: "%.1f MiB", Double(bytes) / 1_048_576)
    var lines: [String] = []
    if record.isEmpty {
      lines.append("Nothing to remove in \(record.home).")
    } else if record.isDryRun {
      let what = parts.isEmpty ? "No rows" : parts.joined(separator: ", ")
      lines.append("To be removed from \(record.home): \(what); about \(mebibytes).")
    } else {
      lines.append(
        "Removed from \(record.home): \(parts.isEmpty ? "nothing" : parts.joined(separator: ", ")). "
          + "\(mebibytes) are free again.")
    }
    if record.keptRuns > 0 {
      lines.append(
        "\(record.keptRuns) deleted \(record.keptRuns == 1 ? "run stays: it is" : "runs stay: they are") under way, or a run "
          + "that is not deleted refers to \(record.keptRuns == 1 ? "it" : "them").")
    }
    return (lines + record.warnings).joined(separator: "\n")
  }
}
