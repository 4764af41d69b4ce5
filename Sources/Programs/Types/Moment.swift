import JSON

/// A date, a time of day, or both, as people and models write them.
///
/// Written out in the form of ISO 8601 that Python's `isoformat` and Pydantic write: `2024-02-29`, `10:00:00`,
/// `2024-02-29T10:00:00Z`. Read in that form, and in others that have one meaning: `29 February 2024`, `Feb 29, 2024`,
/// `29/02/2024`. `03/04/2024` is refused, since it is April to some and March to others.
struct Moment: Hashable {
  struct Day: Hashable {
    var year, month, day: Int
  }
  struct Clock: Hashable {
    var hour, minute, second: Int
    /// Digits behind the second, without zeros at the end.
    var fraction = ""
    /// Minutes that the zone is ahead of UTC; nil where none is stated.
    var offset: Int?
  }

  var day: Day?
  var clock: Clock?
}

extension Moment {
  /// The value of a type that a text holds: the one moment in it. Repaired where it was written in another form, or with
  /// other words around it.
  static func reading(_ text: String, as type: FieldType) -> FieldReading? {
    let plain = LenientJSON.unfenced(text).trimmed.unquoted
    guard plain.utf8.count <= 2000, let moments = MomentScanner.moments(in: plain) else { return nil }
    let values = Set(moments.compactMap { $0.text(as: type) })
    // What lacks the part that is asked for is another thing that the text speaks of.
    guard values.count == 1, let value = values.first else { return nil }
    return FieldReading(.string(value), isRepaired: value != plain)
  }

  /// The moment as a type has it; nil where a part that the type needs is missing.
  private func text(as type: FieldType) -> String? {
    switch type {
    case .date: day.map(Self.text)
    case .time: day == nil ? clock.map(Self.text) : nil
    default: day.map { Self.text($0) + "T" + Self.text(clock ?? Clock(hour: 0, minute: 0, second: 0)) }
    }
  }

  private static func padded(_ number: Int, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func text(_ day: Day) -> String { "\(padded(day.year, 4))-\(padded(day.month))-\(padded(day.day))" }

  private static func text(_ clock: Clock) -> String {
    var text = "\(padded(clock.hour)):\(padded(clock.minute)):\(padded(clock.second))"
    if !clock.fraction.isEmpty { text += "." + clock.fraction }
    guard let offset = clock.offset else { return text }
    if offset == 0 { return text + "Z" }
    return text + (offset < 0 ? "-" : "+") + "\(padded(abs(offset) / 60)):\(padded(abs(offset) % 60))"
  }
}

extension Moment.Day {
  /// A day that there is in the Gregorian calendar.
  init?(checking year: Int, _ month: Int, _ day: Int) {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...9999).contains(year), (1...12).contains(month), (1...lengths[month - 1]).contains(day) else {
      return nil
    }
    self.init(year: year, month: month, day: day)
  }
}

/// Finds moments in a text.
private struct MomentScanner {
  private enum Token: Equatable {
    case number(String)
    case word(String)
    case sign(Character)
    case space
  }

  private let tokens: [Token]
  private var position = 0

  /// All moments in the text; nil where something looks like one and is none, or has two meanings.
  static func moments(in text: String) -> [Moment]? {
    var scanner = MomentScanner(tokens: tokens(of: text))
    var found: [Moment] = []
    while scanner.position < scanner.tokens.count {
      switch scanner.moment() {
      case .found(let moment): found.append(moment)
      case .wrong: return nil
      case .none: scanner.position += 1
      }
    }
    return found
  }

  private enum Outcome {
    case found(Moment), wrong, none
  }

  private static func tokens(of text: String) -> [Token] {
    var tokens: [Token] = []
    for character in text {
      if character.isASCII, character.isNumber {
        if case .number(let digits)? = tokens.last {
          tokens.removeLast(); tokens.append(.number(digits + String(character)))
        } else {
          tokens.append(.number(String(character)))
        }
      } else if character.isLetter {
        if case .word(let letters)? = tokens.last {
          tokens.removeLast(); tokens.append(.word(letters + character.lowercased()))
        } else {
          tokens.append(.word(character.lowercased()))
        }
      } else if character.isWhitespace {
        if tokens.last != .space { tokens.append(.space) }
      } else {
        tokens.append(.sign("\u{2010}\u{2011}\u{2012}\u{2013}\u{2212}".contains(character) ? "-" : character))
      }
    }
    return tokens
  }

  private func token(_ ahead: Int = 0) -> Token? {
    tokens.indices.contains(position + ahead) ? tokens[position + ahead] : nil
  }

  private func digits(_ ahead: Int, _ lengths: ClosedRange<Int>) -> Int? {
    guard case .number(let digits)? = token(ahead), lengths.contains(digits.count) else { return nil }
    return Int(digits)
  }

  private func month(_ ahead: Int) -> Int? {
    guard case .word(let word)? = token(ahead), word.count >= 3 else { return nil }
    return Self.months.firstIndex { $0.hasPrefix(word) && (word.count == 3 || word == $0 || word == "sept") }.map {
      $0 + 1
    }
  }

  private static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
  ]

  // MARK: Days

  private mutating func moment() -> Outcome {
    // A number within a word or another number is no date.
    if position > 0, [.sign("."), .sign("-"), .sign("/")].contains(tokens[position - 1]), position > 1,
      case .number = tokens[position - 2]
    {
      return .none
    }
    for form in [Self.yearFirst, Self.dayAndMonth, Self.monthAndDay, Self.figures, Self.compact] {
      guard let (day, length) = form(self) else { continue }
      guard let day else { return .wrong }
      position += length
      return withClock(day)
    }
    guard let clock = clock(at: position) else { return .none }
    position = clock.end
    guard let value = clock.value else { return .wrong }
    return .found(Moment(clock: value))
  }

  /// What is found: a day, or nil for one that there is not or that has two meanings; and how many tokens it has.
  private typealias Found = (day: Moment.Day?, length: Int)?

  /// `2024-02-29`, `2024/2/29`
  private static func yearFirst(_ scanner: MomentScanner) -> Found {
    guard let year = scanner.digits(0, 4...4), case .sign(let sign)? = scanner.token(1), "-/.".contains(sign),
      let month = scanner.digits(2, 1...2), scanner.token(3) == .sign(sign), let day = scanner.digits(4, 1...2)
    else { return nil }
    return (Moment.Day(checking: year, month, day), 5)
  }

  /// `29 February 2024`, `29th of Feb. 2024`, `29-Feb-2024`
  private static func dayAndMonth(_ scanner: MomentScanner) -> Found {
    guard let day = scanner.digits(0, 1...2) else { return nil }
    var ahead = 1
    if case .word(let ending)? = scanner.token(ahead), ["st", "nd", "rd", "th"].contains(ending) { ahead += 1 }
    if scanner.token(ahead) == .sign(".") { ahead += 1 }
    ahead = scanner.gap(ahead)
    if scanner.token(ahead) == .word("of") { ahead = scanner.gap(ahead + 1) }
    guard let month = scanner.month(ahead) else { return nil }
    ahead += 1
    if scanner.token(ahead) == .sign(".") { ahead += 1 }
    if scanner.token(ahead) == .sign(",") { ahead += 1 }
    ahead = scanner.gap(ahead)
    guard let year = scanner.digits(ahead, 4...4) else { return nil }
    return (Moment.Day(checking: year, month, day), ahead + 1)
  }

  /// `February 29, 2024`, `Feb. 29th 2024`
  private static func monthAndDay(_ scanner: MomentScanner) -> Found {
    guard let month = scanner.month(0) else { return nil }
    var ahead = 1
    if scanner.token(ahead) == .sign(".") { ahead += 1 }
    ahead = scanner.gap(ahead)
    if scanner.token(ahead) == .word("the") { ahead = scanner.gap(ahead + 1) }
    guard let day = scanner.digits(ahead, 1...2) else { return nil }
    ahead += 1
    if case .word(let ending)? = scanner.token(ahead), ["st", "nd", "rd", "th"].contains(ending) { ahead += 1 }
    if scanner.token(ahead) == .sign(",") { ahead += 1 }
    ahead = scanner.gap(ahead)
    guard let year = scanner.digits(ahead, 4...4) else { return nil }
    return (Moment.Day(checking: year, month, day), ahead + 1)
  }

  /// `29/02/2024`: only where one of the two cannot be a month, or both are the same.
  private static func figures(_ scanner: MomentScanner) -> Found {
    guard let first = scanner.digits(0, 1...2), case .sign(let sign)? = scanner.token(1), "-/.".contains(sign),
      let second = scanner.digits(2, 1...2), scanner.token(3) == .sign(sign), let year = scanner.digits(4, 4...4)
    else { return nil }
    if first != second, (1...12).contains(first), (1...12).contains(second) { return (nil, 5) }
    return (first > 12 ? Moment.Day(checking: year, second, first) : Moment.Day(checking: year, first, second), 5)
  }

  /// `20240229`, alone or before a `T`.
  private static func compact(_ scanner: MomentScanner) -> Found {
    guard let digits = scanner.digits(0, 8...8), scanner.tokens.count == 1 || scanner.token(1) == .word("t") else {
      return nil
    }
    return (Moment.Day(checking: digits / 10_000, digits / 100 % 100, digits % 100), 1)
  }

  /// Behind the space or hyphen that stands there.
  private func gap(_ ahead: Int) -> Int { token(ahead) == .space || token(ahead) == .sign("-") ? ahead + 1 : ahead }

  // MARK: Times

  private mutating func withClock(_ day: Moment.Day) -> Outcome {
    var next = position
    func stands(_ token: Token) -> Bool { tokens.indices.contains(next) && tokens[next] == token }
    if stands(.word("t")) {
      next += 1
    } else {
      if stands(.sign(",")) { next += 1 }
      if stands(.space) { next += 1 }
      if stands(.word("at")) { next += 1 }
      if stands(.space) { next += 1 }
    }
    guard next > position, let clock = clock(at: next) else { return .found(Moment(day: day)) }
    guard let value = clock.value else { return .wrong }
    position = clock.end
    return .found(Moment(day: day, clock: value))
  }

  /// `10:00`, `10:00:00.5`, `10:00 pm`, `10:00:00+01:00`, `10:00Z`: the time, nil where there is none such, and where
  /// it ends.
  private func clock(at start: Int) -> (value: Moment.Clock?, end: Int)? {
    func at(_ index: Int) -> Token? { tokens.indices.contains(index) ? tokens[index] : nil }
    func two(_ index: Int) -> Int? {
      if case .number(let digits)? = at(index), digits.count <= 2 { Int(digits) } else { nil }
    }
    guard var hour = two(start), at(start + 1) == .sign(":"), let minute = two(start + 2) else { return nil }
    var clock = Moment.Clock(hour: hour, minute: minute, second: 0)
    var end = start + 3
    if at(end) == .sign(":"), let second = two(end + 1) {
      clock.second = second
      end += 2
      if at(end) == .sign(".") || at(end) == .sign(","), case .number(let digits)? = at(end + 1), digits.count <= 9 {
        // As Python has it, to the microsecond.
        var fraction = String(digits.prefix(6))
        while fraction.last == "0" { fraction.removeLast() }
        clock.fraction = fraction.isEmpty ? "" : fraction + String(repeating: "0", count: 6 - fraction.count)
        end += 2
      }
    }
    let half = at(end) == .space ? end + 1 : end
    if case .word(let word)? = at(half), word == "am" || word == "pm" {
      guard (1...12).contains(hour) else { return (nil, half + 1) }
      hour = hour % 12 + (word == "pm" ? 12 : 0)
      clock.hour = hour
      end = half + 1
    }
    let zone = at(end) == .space ? end + 1 : end
    switch at(zone) {
    case .word(let word)? where ["z", "utc", "gmt"].contains(word):
      clock.offset = 0
      end = zone + 1
    case .sign(let sign)? where sign == "+" || sign == "-":
      guard case .number(let digits)? = at(zone + 1) else { break }
      var minutes: Int?
      if digits.count == 4 {
        minutes = Int(digits).map { $0 / 100 * 60 + $0 % 100 }
        end = zone + 2
      } else if digits.count <= 2, at(zone + 2) == .sign(":"), let rest = two(zone + 3) {
        minutes = Int(digits).map { $0 * 60 + rest }
        end = zone + 4
      } else if digits.count == 2 {
        minutes = Int(digits).map { $0 * 60 }
        end = zone + 2
      }
      guard let minutes else { break }
      guard minutes <= 24 * 60 else { return (nil, end) }
      clock.offset = sign == "-" ? -minutes : minutes
    default: break
    }
    let isReal = (0...23).contains(hour) && (0...59).contains(clock.minute) && (0...59).contains(clock.second)
    return (isReal ? clock : nil, end)
  }
}
