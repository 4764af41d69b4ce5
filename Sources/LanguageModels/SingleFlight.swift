import Basics
package import Failures
import Platform
import Synchronization

/// Merges concurrent calls of one key into one: the first caller's work is done, all get its outcome.
///
/// The work runs in a task of its own, so that any caller may leave at once; when the last one has
/// left, the work is cancelled.
final class SingleFlight<Value: Sendable>: Sendable {
  /// What is asked for: the content, and where its answer will be kept.
  struct Key: Hashable, Sendable {
    var digest: ContentDigest
    var store: ObjectIdentifier?
  }

  /// A moment in the flights' history. A caller takes it before looking into the store, to find out
  /// whether an answer may have been kept since.
  struct Mark: Sendable { fileprivate var landings: UInt64 }

  enum Joined: Sendable {
    case seat(Seat)
    /// A flight of this key may have landed since the mark: look into the store again.
    case stale
  }

  /// One caller's place in a flight.
  struct Seat: Sendable {
    /// Whether this caller's work is the one being done.
    let leads: Bool
    fileprivate let key: Key
    fileprivate let flight: Flight
    fileprivate let number: Int
    fileprivate let promise: Promise<Result<Value, HoneError>>
  }

  fileprivate final class Flight: Sendable {
    struct State {
      var task: Task<Void, Never>?
      var passengers: [Int: Promise<Result<Value, HoneError>>] = [:]
      var boarded = 0
    }
    let state = Mutex(State())
  }

  private struct State {
    var flights: [Key: Flight] = [:]
    /// Landings, counted in slots by key: exact enough to notice, small enough to keep.
    var landings = [UInt64](repeating: 0, count: 256)
  }

  private let state = Mutex(State())

  func mark(_ key: Key) -> Mark { state.withLock { Mark(landings: $0.landings[slot(key)]) } }

  private func slot(_ key: Key) -> Int { key.hashValue & 255 }

  /// Takes a seat in the flight of that key, or starts one that does `work`.
  func join(
    _ key: Key, since mark: Mark, work: @escaping @Sendable () async -> Result<Value, HoneError>
  ) -> Joined {
    let promise = Promise<Result<Value, HoneError>>()
    return state.withLock { state in
      guard state.landings[slot(key)] == mark.landings else { return .stale }
      if let flight = state.flights[key] {
        let number = flight.state.withLock { $0.board(promise) }
        return .seat(Seat(leads: false, key: key, flight: flight, number: number, promise: promise))
      }
      let flight = Flight()
      state.flights[key] = flight
      let number = flight.state.withLock { inner in
        inner.task = Task { self.land(key, flight, await work()) }
        return inner.board(promise)
      }
      return .seat(Seat(leads: true, key: key, flight: flight, number: number, promise: promise))
    }
  }

  /// Waits for the flight's outcome. A caller that is cancelled, or whose time is up, leaves at once.
  ///
  /// - Parameter limit: the seconds after which to leave, and the error to leave with.
  func ride(_ seat: Seat, limit: (seconds: Double, error: HoneError)? = nil) async -> Result<Value, HoneError> {
    let alarm = limit.map { limit in
      Alarms.shared.set(in: limit.seconds) { self.leave(seat, .failure(limit.error)) }
    }
    defer { if let alarm { Alarms.shared.clear(alarm) } }
    return await withTaskCancellationHandler {
      await seat.promise.wait()
    } onCancel: {
      leave(seat, .failure(.callCancelled))
    }
  }

  private func leave(_ seat: Seat, _ outcome: Result<Value, HoneError>) {
    // In the registry's lock, so that nobody boards a flight that is about to be cancelled.
    let (isAboard, abandoned) = state.withLock { state -> (Bool, Task<Void, Never>?) in
      seat.flight.state.withLock { flight in
        guard flight.passengers.removeValue(forKey: seat.number) != nil else { return (false, nil) }
        guard flight.passengers.isEmpty else { return (true, nil) }
        if state.flights[seat.key] === seat.flight { state.flights[seat.key] = nil }
        return (true, flight.task)
      }
    }
    // Before the caller goes on, so that it meets the bill of what it leaves.
    abandoned?.cancel()
    if isAboard { seat.promise.fulfil(outcome) }
  }

  private func land(_ key: Key, _ flight: Flight, _ outcome: Result<Value, HoneError>) {
    let passengers = state.withLock { state in
      if state.flights[key] === flight { state.flights[key] = nil }
      state.landings[slot(key)] &+= 1
      return flight.state.withLock { flight in
        defer { flight.passengers = [:] }
        return Array(flight.passengers.values)
      }
    }
    for passenger in passengers { passenger.fulfil(outcome) }
  }

  /// How many flights are in the air.
  var count: Int { state.withLock { $0.flights.count } }
}

extension SingleFlight.Flight.State {
  fileprivate mutating func board(_ promise: Promise<Result<Value, HoneError>>) -> Int {
    let number = boarded
    boarded += 1
    passengers[number] = promise
    return number
  }
}

extension HoneError {
  package static let callCancelled = HoneError(.cancelled, "The call to the language model was cancelled.")
}
