/// Reads how long an endpoint asks to be left alone.
enum RetryAfter {
  /// Seconds from a `Retry-After` header: a number of seconds, or a date after `now` (seconds since
  /// 1970). Nil if it is neither.
  static func seconds(_ value: String, now: Double) -> Double? {
    let text = trimmed(value)
    if let seconds = Double(text) { return seconds.isFinite && seconds >= 0 ? seconds : nil }
    return date(text).map { max(0, $0 - now) }
  }

  private static func trimmed(_ text: String) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Seconds since 1970 of a date in HTTP's preferred form, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
  private static func date(_ text: String) -> Double? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), (1...31).contains(day),
      let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3]), (1970...9999).contains(year)
    else { return nil }
    let time = parts[4].split(separator: ":").map { Int($0) }
    guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2],
      (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    return Double(days(year, month + 1, day)) * 86_400 + Double(hour * 3600 + minute * 60 + second)
  }

  /// Days from 1970-01-01 in the Gregorian calendar; the year is taken to begin in March, so that the
  /// leap day is its last.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return 365 * y + y / 4 - y / 100 + y / 400 + dayOfYear - 719_468
  }
}
