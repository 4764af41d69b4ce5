import Platform

/// Nanoseconds since 1970, UTC.
package func wallClock() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
}

/// Milliseconds since 1970, UTC.
package func nowInMilliseconds() -> Int { wallClock() / 1_000_000 }

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

/// Nanoseconds since 1970 from RFC 3339 text (`2026-11-23T22:47:10.870Z`, also with an offset); nil for other text.
///
/// The day number from the date: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
package func nanoseconds(rfc3339 text: String) -> Int? {
  let characters = Array(text.utf8)
  func number(_ range: Range<Int>) -> Int? {
    guard range.upperBound <= characters.count else { return nil }
    let digits = characters[range]
    guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
  guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
    let minute = number(14..<16), let second = number(17..<19), characters[4] == UInt8(ascii: "-"),
    characters[7] == UInt8(ascii: "-"), characters[13] == UInt8(ascii: ":"), characters[16] == UInt8(ascii: ":"),
    (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60, (1700...2200).contains(year)
  else { return nil }
  var index = 19
  var fraction = 0
  if index < characters.count, characters[index] == UInt8(ascii: ".") {
    var scale = 100_000_000
    index += 1
    while index < characters.count, let digit = number(index..<index + 1) {
      fraction += digit * scale
      scale /= 10
      index += 1
    }
  }
  var offset = 0
  switch characters[index...].first {
  case UInt8(ascii: "Z"), UInt8(ascii: "z"): guard index + 1 == characters.count else { return nil }
  case UInt8(ascii: "+"), UInt8(ascii: "-"):
    guard index + 6 == characters.count, let hours = number(index + 1..<index + 3),
      let minutes = number(index + 4..<index + 6)
    else { return nil }
    offset = (hours * 60 + minutes) * (characters[index] == UInt8(ascii: "-") ? -60 : 60)
  default: return nil
  }
  let shiftedYear = month <= 2 ? year - 1 : year
  let era = shiftedYear / 400
  let yearOfEra = shiftedYear - era * 400
  let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  let dayNumber = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  return (dayNumber * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1_000_000_000 + fraction
}
