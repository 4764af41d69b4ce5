import Messages
import Synchronization

/// What a model usually takes to answer one kind of call, and what follows from it: after how long a request is
/// unusually late, and when it is given up.
///
/// A fixed deadline is either so short that long answers never come, or so long that each lost reply stalls a run for
/// minutes. So deadlines follow what was seen, and double with each one that passes: an answer that really takes
/// long gets its time in the end.
package final class ResponseTimes: Sendable {
  /// How many answers must be known before they say anything.
  private static let leastKnown = 8
  private static let window = 128
  /// Before anything is known: seconds after which a request is late, and is given up.
  private static let unknownLateness = 20.0
  private static let unknownDeadline = 120.0
  private static let longestDeadline = 600.0
  /// So many deadlines passed with no answer between them mean that the endpoint is not as it was.
  private static let forgetAfter = 8
  /// Second requests are at most this share of the first ones, after a few to begin with.
  private static let repeatShare = 0.25
  private static let repeatsAhead = 8.0
  /// How many times as long as calls of all roles those of an unknown role may usually take.
  private static let unknownRoleFactor = 4.0

  private struct State {
    var recent: [Double] = []
    var next = 0
    /// The 90th and 95th percentile of the recent answers.
    var percentiles: (usual: Double, slow: Double)?
    var deadlinesPassed = 0
    var repeatsLeft = ResponseTimes.repeatsAhead
  }

  private let state = Mutex(State())
  /// The times of all the model's calls, from which to guess where nothing is known of this kind.
  private let overall: ResponseTimes?

  package init(overall: ResponseTimes? = nil) { self.overall = overall }

  private static let registry = Mutex<[String: ResponseTimes]>([:])

  /// The process's times for calls of that role to that model: tasks and proposals differ in length.
  static func shared(for model: String, role: CallRole) -> ResponseTimes {
    registry.withLock { known in
      // Models come from requests: start afresh before their number grows without bound.
      if known.count >= 1024 { known = [:] }
      func times(_ name: String, _ overall: ResponseTimes?) -> ResponseTimes {
        let times = known[name] ?? ResponseTimes(overall: overall)
        known[name] = times
        return times
      }
      return times("\(role.rawValue) \(model)", times("all \(model)", nil))
    }
  }

  // MARK: What was seen

  package func noteSent() {
    state.withLock { $0.repeatsLeft = min(Self.repeatsAhead, $0.repeatsLeft + Self.repeatShare) }
  }

  package func noteAnswer(after seconds: Double) {
    overall?.noteAnswer(after: seconds)
    state.withLock { state in
      state.deadlinesPassed = 0
      if state.recent.count < Self.window {
        state.recent.append(seconds)
      } else {
        state.recent[state.next] = seconds
        state.next = (state.next + 1) % Self.window
      }
      let count = state.recent.count
      guard count >= Self.leastKnown, count < 4 * Self.leastKnown || state.next % 8 == 0 else { return }
      let sorted = state.recent.sorted()
      state.percentiles = (sorted[(count - 1) * 9 / 10], sorted[(count - 1) * 19 / 20])
    }
  }

  package func noteDeadlinePassed() {
    overall?.noteDeadlinePassed()
    state.withLock { state in
      state.deadlinesPassed += 1
      guard state.deadlinesPassed >= Self.forgetAfter else { return }
      state.recent = []
      state.next = 0
      state.percentiles = nil
    }
  }

  // MARK: What follows

  /// Seconds after which a request is unusually late. The fewer answers are known, the less the slowest of them says.
  package var lateness: Double {
    if let percentiles { return max(1, 3 * percentiles.slow) }
    let (count, slowest) = state.withLock { ($0.recent.count, $0.recent.max() ?? 0) }
    guard count > 0 else { return Self.unknownLateness }
    return min(Self.unknownLateness, max(1, 3 * slowest * Double(Self.leastKnown) / Double(count)))
  }

  private var percentiles: (usual: Double, slow: Double)? {
    if let known = state.withLock({ $0.percentiles }) { return known }
    return overall?.percentiles.map { (Self.unknownRoleFactor * $0.usual, Self.unknownRoleFactor * $0.slow) }
  }

  /// Seconds that a request may take, after so many others for the same answer passed theirs.
  package func deadline(passed: Int) -> Double {
    Self.deadline(usual: percentiles?.usual, passed: passed)
  }

  /// The same where what is usual is not known, or says nothing.
  static func deadline(usual: Double? = nil, passed: Int) -> Double {
    var deadline = usual.map { min(max(5, 10 * $0), unknownDeadline) } ?? unknownDeadline
    for _ in 0..<max(0, passed) where deadline < longestDeadline { deadline *= 2 }
    return min(deadline, longestDeadline)
  }

  /// Takes the right to send one more second request, if there is one left: where everything is late, sending
  /// everything twice would make it later.
  package func takeRepeat() -> Bool {
    state.withLock { state in
      guard state.repeatsLeft >= 1 else { return false }
      state.repeatsLeft -= 1
      return true
    }
  }
}
