import Evaluation
import Basics
import Foundation
import HoneService
import JSON
import Jobs
import Synchronization
import Terminal

/// Progress on standard error: one line that is drawn over on a terminal, a line now and then elsewhere; above it a line for
/// each candidate of a search.
final class TerminalProgress: ProgressSink {
  private struct State {
    var lastDrawn = ContinuousClock.now - .seconds(60)
    var lastPhase = ""
    var lastWait = 0
  }

  /// Milliseconds.
  private static let longWait = 10_000

  private let output = TerminalOutput.errors
  private let state = Mutex(State())

  func report(_ report: ProgressReport) {
    let now = ContinuousClock.now
    let phase = report.phase ?? report.message
    let pause: Duration = output.isTerminal ? .milliseconds(80) : .seconds(5)
    state.withLock { state in
      // Whoever waits for long is told at once, and on a line that stays.
      if let until = report.waitingUntil, until != state.lastWait, until > nowInMilliseconds() + Self.longWait {
        state.lastWait = until
        return output.line(phase.visibleLine)
      }
      guard now - state.lastDrawn >= pause || (!output.isTerminal && phase != state.lastPhase) else { return }
      state.lastDrawn = now
      state.lastPhase = phase
      guard output.isTerminal else { return output.line(Self.text(phase.visibleLine, report, bar: 24)) }
      output.status { Self.text(phase.visibleLine, report, columns: $0) }
    }
  }

  /// A line that stays; a search's probes are too many and each says too little.
  func finished(_ trial: TrialResult) {
    guard trial.candidate?.verdict != .probe else { return }
    output.line(trial.line.visibleLine)
  }

  func end(_ message: String) { output.clearStatus() }

  /// The line for a terminal: the bar gets at most a third of it, and the phase gives way to the figures.
  private static func text(_ phase: String, _ report: ProgressReport, columns: Int) -> String {
    let bar = min(24, columns / 3)
    let line = text(phase, report, bar: bar)
    let excess = line.displayWidth - columns
    guard excess > 0 else { return line }
    return text(phase.cut(toWidth: max(8, phase.displayWidth - excess)), report, bar: bar)
  }

  private static func text(_ phase: String, _ report: ProgressReport, bar: Int) -> String {
    var parts: [String] = []
    if let percentage = report.percentage {
      let filled = max(0, min(bar, percentage * bar / 100))
      parts.append("[" + String(repeating: "#", count: filled) + String(repeating: ".", count: bar - filled) + "]")
      parts.append("\(percentage) %")
    }
    parts.append(phase)
    if let trial = report.trial { parts.append("trial \(trial)") }
    if let score = report.score { parts.append("best \(score)") }
    if let calls = report.calls { parts.append("\(calls) calls") }
    if let tokens = report.tokens, tokens > 0 { parts.append("\(tokens) tokens") }
    if let left = report.secondsLeft { parts.append("\(Int(left.rounded(.up))) s left") }
    return parts.joined(separator: "  ")
  }
}
