import Failures

/// How often a failed request is made again, and after which pause.
///
/// Each kind of fault has patience of its own: an endpoint that says "later" will serve later, one that sent garbage
/// is up and may be asked again at once, one that nobody reaches is soon known to be down. Pauses grow exponentially
/// and are drawn from their whole range ("full jitter"), so that calls which failed together do not come back
/// together. See M. Brooker, "Exponential Backoff And Jitter", 2015.
package struct RetryPolicy: Sendable, Hashable {
  /// What went wrong, as far as trying again is concerned.
  package enum Fault: Sendable, Hashable, CaseIterable {
    /// No connection, or one that broke.
    case unreachable
    /// The endpoint reported a failure of its own.
    case serverError
    case rateLimited
    /// A reply that is none.
    case malformed
    /// A reply without text.
    case empty
    /// No reply in time.
    case late
  }

  /// How many attempts may follow the first, whatever the faults; nil: as many as each kind of fault is worth.
  package var retries: Int?
  /// The upper bound of any pause that the endpoint did not name.
  package var cap = 30.0
  /// How long a call waits for an endpoint, all its pauses together, unless its configuration says otherwise. Whoever
  /// asks for more stops the work, which can be resumed.
  package static let maxWait = 600.0

  package init(retries: Int? = nil) { self.retries = retries }

  /// For each kind: how many attempts may follow, and the first pause's upper bound in seconds, which doubles.
  private static func patience(_ fault: Fault) -> (retries: Int, base: Double) {
    switch fault {
    case .unreachable: (5, 0.5)
    case .serverError: (8, 0.5)
    case .rateLimited: (12, 0.5)
    case .malformed: (8, 0.1)
    case .empty: (4, 0.1)
    case .late: (4, 0.1)
    }
  }

  /// The faults that one call has met.
  package struct History: Sendable, Hashable {
    fileprivate var counts: [Fault: Int] = [:]
    package init() {}

    package var total: Int { counts.values.reduce(0, +) }
    package subscript(_ fault: Fault) -> Int { counts[fault] ?? 0 }
    package mutating func add(_ fault: Fault) { counts[fault, default: 0] += 1 }
  }

  /// Seconds to pause after a fault, which is in the history already; nil if there shall be no other attempt.
  /// `random` is drawn evenly from 0 up to 1.
  package func pause(after fault: Fault, _ history: History, advice: RetryAdvice, random: Double) -> Double? {
    let patience = Self.patience(fault)
    guard retries.map({ history.total <= $0 }) ?? (history[fault] <= patience.retries) else { return nil }
    switch advice {
    case .never:
      return nil
    case .adapted:
      return 0
    case .backOff:
      var bound = patience.base
      for _ in 1..<max(history[fault], 1) where bound < cap { bound *= 2 }
      return min(bound, cap) * random
    case .after(let seconds):
      // Never sooner than told, and not all at the same moment.
      let named = seconds.isFinite ? max(seconds, 0) : .greatestFiniteMagnitude
      return named + min(0.1 * named, 6) * random
    }
  }
}

extension ModelFailure {
  /// Which kind of fault this is.
  package var fault: RetryPolicy.Fault {
    switch error.kind {
    case .rateLimited: .rateLimited
    case .malformedReply: .malformed
    case .replyEmpty: .empty
    case .timeout: .late
    default: error.details["status"] == nil ? .unreachable : .serverError
    }
  }
}
