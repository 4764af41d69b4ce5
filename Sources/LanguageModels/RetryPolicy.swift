/// How long to pause before the next attempt.
///
/// Pauses grow exponentially and are drawn from their whole range ("full jitter"), so that calls which
/// failed together do not come back together. See M. Brooker, "Exponential Backoff And Jitter", 2015.
package struct RetryPolicy: Sendable, Hashable {
  /// How many attempts may follow the first.
  package var retries: Int
  /// The first pause's upper bound, in seconds; doubles with each attempt.
  package var base = 0.5
  /// The upper bound of any pause that the endpoint did not name.
  package var cap = 30.0
  /// The longest pause taken on an endpoint's word; one that asks for more is asked again after this.
  package var namedCap = 60.0

  package init(retries: Int) { self.retries = retries }

  /// Seconds to pause after failed attempt number `attempt` (from 1); nil if there shall be no other.
  /// `random` is drawn evenly from 0 up to 1.
  package func pause(after attempt: Int, advice: RetryAdvice, random: Double) -> Double? {
    guard attempt <= retries else { return nil }
    switch advice {
    case .never:
      return nil
    case .backOff:
      var bound = base
      for _ in 1..<max(attempt, 1) where bound < cap { bound *= 2 }
      return min(bound, cap) * random
    case .after(let seconds):
      let named = seconds.isFinite ? min(max(seconds, 0), namedCap) : namedCap
      // Never sooner than told, and not all at the same moment.
      return named * (1 + 0.1 * random)
    }
  }
}
