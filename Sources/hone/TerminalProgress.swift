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

  func begin(_ title: String) {}

  func report(_ message: String, percentage: Int?, data: JSONObject) {
    let now = ContinuousClock.now
    let phase = data["phase"]?.stringValue ?? message
    let trial = data["trial"]?.intValue ?? 0
    state.withLock { state in
      let isNews = phase != state.lastPhase || trial != state.lastTrial
      let pause: Duration = isTerminal ? .milliseconds(80) : .seconds(5)
      guard now - state.lastDrawn >= pause || (isNews && !isTerminal && phase != state.lastPhase) else { return }
      state.lastDrawn = now
      state.lastPhase = phase
      state.lastTrial = trial
      let line = text(phase, percentage: percentage, data: data)
      if isTerminal {
        let padding = String(repeating: " ", count: max(0, state.width - line.count))
        write("\r" + line + padding)
        state.width = line.count
      } else {
        write(line + "\n")
      }
    }
  }

  func partial(_ value: JSONObject) {}

  func end(_ message: String) {
    guard isTerminal else { return }
    state.withLock { state in
      guard state.width > 0 else { return }
      write("\r" + String(repeating: " ", count: state.width) + "\r")
      state.width = 0
    }
  }

  private func text(_ phase: String, percentage: Int?, data: JSONObject) -> String {
    var parts: [String] = []
    if let percentage {
      let filled = percentage * 24 / 100
      parts.append("[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 24 - filled) + "]")
      parts.append("\(percentage) %")
    }
    parts.append(phase)
    if let trial = data["trial"]?.intValue { parts.append("trial \(trial)") }
    if let score = data["score"]?.doubleValue { parts.append("best \(score)") }
    if let calls = data["calls"]?.intValue { parts.append("\(calls) calls") }
    if let tokens = data["tokens"]?.intValue, tokens > 0 { parts.append("\(tokens) tokens") }
    if let left = data["secondsLeft"]?.doubleValue { parts.append("\(Int(left.rounded(.up))) s left") }
    return parts.joined(separator: "  ")
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
