import Basics

/// A pause that an endpoint asks for, or that follows its refusals, as it is told to whoever waits.
package struct EndpointWait: Sendable, Hashable {
  package var endpoint: String
  /// When it is over: milliseconds since 1970.
  package var until: Int
  /// Why, in the error's words.
  package var reason: String

  init(endpoint: String, seconds: Double, reason: String) {
    self.endpoint = endpoint
    until = nowInMilliseconds() + Int((min(seconds, 1e9) * 1000).rounded())
    self.reason = reason
  }

  /// For a person: what is waited for and until when.
  package var message: String {
    "waiting for \(endpoint) until \(Self.clock(until)) (\(Self.duration(until - nowInMilliseconds()))): \(reason)"
  }

  /// "14:20:05 UTC", with the date where that is not today.
  package static func clock(_ milliseconds: Int) -> String {
    let text = rfc3339(milliseconds: milliseconds)
    let time = text.dropFirst(11).prefix(8) + " UTC"
    let isToday = text.prefix(10) == rfc3339(milliseconds: nowInMilliseconds()).prefix(10)
    return isToday ? String(time) : "\(text.prefix(10)) \(time)"
  }

  /// "59 s", "12 min", "3 h 5 min".
  package static func duration(_ milliseconds: Int) -> String {
    let seconds = max(0, Int((Double(milliseconds) / 1000).rounded()))
    if seconds < 120 { return "\(seconds) s" }
    let minutes = Int((Double(seconds) / 60).rounded())
    if minutes < 120 { return "\(minutes) min" }
    return minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes / 60) h \(minutes % 60) min"
  }
}
