import NIOCore

/// How long a client may take.
struct RequestTimes: Sendable {
  /// From the first byte of a request, or from the opening of the connection, to the end of the headers.
  var headers = TimeAmount.seconds(10)
  /// Between requests.
  var idle = TimeAmount.seconds(120)
  /// For a body, beside the time that its bytes are granted.
  var body = TimeAmount.seconds(30)
  /// The slowest that a body may come, in bytes a second.
  var bodyRate = 16 << 10
  /// For the rest of a body after the answer was given.
  var rest = TimeAmount.seconds(5)
}

/// Counts the time that a client takes for its requests on one connection. Time in which the server works, or does not
/// read, is not the client's.
struct RequestClock {
  private let times: RequestTimes
  /// When the client's turn began: the connection was opened, or the last answer written.
  private var turn: NIODeadline
  /// When the first byte of the next request came.
  private var started: NIODeadline?
  private var isFirst = true
  /// Requests whose headers have come and whose answers have not been written.
  private(set) var open = 0
  /// Whether a body is still coming.
  private(set) var isBody = false
  private var bodyBytes = 0
  /// How long reading has waited for the body.
  private var waited = TimeAmount.nanoseconds(0)
  /// Since when bytes are asked for and none have come.
  private var reading: NIODeadline?

  init(_ times: RequestTimes, now: NIODeadline) {
    self.times = times
    turn = now
  }

  mutating func asksForBytes(_ now: NIODeadline) { if reading == nil { reading = now } }

  mutating func bytesCame(_ now: NIODeadline) {
    if isBody, let reading { waited = waited + (now - reading) }
    reading = nil
    if !isBody, started == nil { started = now }
  }

  mutating func headersEnded() {
    open += 1
    isFirst = false
    started = nil
    isBody = true
    bodyBytes = 0
    waited = .nanoseconds(0)
  }

  mutating func bodyCame(_ count: Int) { bodyBytes += count }

  mutating func requestEnded() { isBody = false }

  /// - Returns: whether the connection waits for its client now.
  mutating func answerEnded(_ now: NIODeadline) -> Bool {
    open -= 1
    guard open <= 0 else { return false }
    open = 0
    turn = now
    return true
  }

  /// By when something must have come; nil while the client is not waited for.
  var deadline: NIODeadline? {
    if isBody, open == 0 { return turn + times.rest }
    if isBody {
      guard let reading else { return nil }
      let granted = times.body + .nanoseconds(Int64(bodyBytes) * 1_000_000_000 / Int64(times.bodyRate))
      return reading + (granted - waited)
    }
    if open > 0 { return nil }
    if let started { return max(started, turn) + times.headers }
    return turn + (isFirst ? times.headers : times.idle)
  }
}
