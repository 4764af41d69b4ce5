import Foundation
import HoneService
import JSON
import Jobs
import Synchronization

/// Progress on standard error: a bar that is drawn over on a terminal, a line now and then elsewhere.
final class TerminalProgress: ProgressSink {
  private struct State {
    var lastDrawn = ContinuousClock.now - .seconds(60)
    var lastPhase = ""
    var lastTrial = 0
    var width = 0
  }

  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let state = Mutex(State())

  func report(_ report: ProgressReport) {
    let now = ContinuousClock.now
    let phase = report.phase ?? report.message
    let trial = report.trial ?? 0
    state.withLock { state in
      let isNews = phase != state.lastPhase || trial != state.lastTrial
      let pause: Duration = isTerminal ? .milliseconds(80) : .seconds(5)
      guard now - state.lastDrawn >= pause || (isNews && !isTerminal && phase != state.lastPhase) else { return }
      state.lastDrawn = now
      state.lastPhase = phase
      state.lastTrial = trial
      let line = text(phase, report)
      if isTerminal {
        let padding = String(repeating: " ", count: max(0, state.width - line.count))
        write("\r" + line + padding)
        state.width = line.count
      } else {
        write(line + "\n")
      }
    }
  }

  func end(_ message: String) {
    guard isTerminal else { return }
    state.withLock { state in
      guard state.width > 0 else { return }
      write("\r" + String(repeating: " ", count: state.width) + "\r")
      state.width = 0
    }
  }

  private func text(_ phase: String, _ report: ProgressReport) -> String {
    var parts: [String] = []
    if let percentage = report.percentage {
      let filled = percentage * 24 / 100
      parts.append("[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled) + "]")
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

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
