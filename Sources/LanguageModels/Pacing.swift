/// Time and chance as the client meets them, so that tests can put their own in place.
package struct Pacing: Sendable {
  /// Seconds since some fixed moment, never going back.
  package var now: @Sendable () -> Double
  /// Pauses; throws at once when the task is cancelled.
  package var sleep: @Sendable (_ seconds: Double) async throws(CancellationError) -> Void
  /// A number from 0 up to but not 1.
  package var random: @Sendable () -> Double

  package init(
    now: @escaping @Sendable () -> Double,
    sleep: @escaping @Sendable (_ seconds: Double) async throws(CancellationError) -> Void,
    random: @escaping @Sendable () -> Double
  ) {
    self.now = now
    self.sleep = sleep
    self.random = random
  }

  /// The machine's monotonic clock, real pauses and the system's random numbers.
  package static let real = Pacing(
    now: { (ContinuousClock.now - origin).inSeconds },
    sleep: { seconds throws(CancellationError) in
      do {
        try await Task.sleep(for: .seconds(seconds))
      } catch {
        throw CancellationError()
      }
    },
    random: { Double.random(in: 0..<1) })

  private static let origin = ContinuousClock.now
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
