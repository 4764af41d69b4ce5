import Traces

/// Milliseconds since 1970, UTC.
func nowInMilliseconds() -> Int { wallClock() / 1_000_000 }

/// A time in nanoseconds since 1970 as RFC 3339 with `Z` and milliseconds.
///
/// The date from the day number: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
package func rfc3339(nanoseconds: Int) -> String {
  var milliseconds = nanoseconds / 1_000_000
  if nanoseconds % 1_000_000 < 0 { milliseconds -= 1 }
  return rfc3339(milliseconds: milliseconds)
}

/// A time in milliseconds since 1970 as RFC 3339 with `Z` and milliseconds.
package func rfc3339(milliseconds: Int) -> String {
  let dayLength = 86_400_000
  let day = milliseconds >= 0 ? milliseconds / dayLength : (milliseconds - dayLength + 1) / dayLength
  let rest = milliseconds - day * dayLength
  let shifted = day + 719_468
  let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shiftedMonth = (5 * dayOfYear + 2) / 153
  let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
  func digits(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
  return "\(digits(year, 4))-\(digits(month, 2))-\(digits(dayOfMonth, 2))T\(digits(rest / 3_600_000, 2)):"
    + "\(digits(rest / 60_000 % 60, 2)):\(digits(rest / 1_000 % 60, 2)).\(digits(rest % 1_000, 3))Z"
}
