import Failures
import JSON
import Platform
import RowStorage
import Schema

/// Turns the content of a data file into rows, noting what is wrong with each.
///
/// Reads JSON Lines, JSON (an array of objects, `{"rows": […]}`, `{"data": […]}` or the table
/// `{"columns": […], "data": [[…]]}`) and tables with commas, semicolons or tabs, each in UTF-8 or UTF-16, be it packed or
/// not. Which it is, the content says; a name or a `format` decides only where it says nothing. At most
/// `maximumProblems` problems are noted; then reading stops.
///
/// Files are read in parts, so that only the rows are kept, and those as `Rows` says. A document of JSON that is not an
/// array is read as a whole.
package struct RowReader {
  /// The forms a data file may have.
  package enum Format: String, SchemaChoice {
    case jsonl, json, csv, tsv

    var isTable: Bool { self == .csv || self == .tsv }

    /// By a file's name, or nil for an extension that says nothing; that of a packed file is the one before.
    init?(fileName: String) {
      guard let dot = fileName.lastIndex(of: ".") else { return nil }
      switch fileName[fileName.index(after: dot)...].lowercased() {
      case "gz", "zst", "zstd":
        guard let inner = Format(fileName: String(fileName[..<dot])) else { return nil }
        self = inner
      case "jsonl", "ndjson", "jsonlines": self = .jsonl
      case "json": self = .json
      case "csv": self = .csv
      case "tsv", "tab": self = .tsv
      default: return nil
      }
    }
  }

  static let maximumProblems = 20
  static let maximumRows = 1_000_000

  /// The place of the data set in the request, for the paths of problems.
  let path: String
  let problems: ProblemList
  /// What a CSV column's text means: `string` (unless said), `int`, `float`, `bool` or `json`.
  var types: [String: ColumnType] = [:]
  /// The members that each row must have.
  var required: [String] = []
  /// From which column of the content a member takes its value, by the member's name; the others keep their names.
  var columns: [String: String] = [:]
  /// The file's name, where it has one.
  var fileName: String?
  /// Members in which NaN or an infinity stood: null now.
  private(set) var nonNumbers: Set<String> = []
  /// Whether reading stopped since nobody waits for the rows any more.
  private(set) var isCancelled = false
  private var rows = RowsBuilder()
  private var noted = 0
  /// What is wrong with the elements of a document of which it is not known yet whether it is one.
  private var tentative: [Problem] = []
  private var isTentative = false
  /// The first rows that lack a required member.
  private var lacking: [(index: Int, key: String, keys: [String])] = []
  /// Columns that `columns` names and some row has.
  private var foundColumns: Set<String> = []
  /// Columns of the first row.
  private var firstColumns: [String]?
  /// Whether words for numbers that JSON does not have were met.
  private var metNonNumbers = false

  init(path: String, problems: ProblemList) {
    self.path = path
    self.problems = problems
  }

  /// Whether another problem may still be noted.
  var mayGoOn: Bool { noted < Self.maximumProblems }

  /// How many rows there are.
  var count: Int { rows.count }

  /// Whether nothing was wrong so far.
  var isClean: Bool { noted == 0 }

  mutating func note(_ place: String, _ message: String, got: String? = nil) {
    if mayGoOn { note(Problem(path: place, message: message, got: got)) }
    noted += 1
    if noted == Self.maximumProblems {
      note(Problem(path: path, message: "There are \(noted) problems or more; reading stopped here."))
    }
  }

  private mutating func note(_ problem: Problem) {
    if isTentative { tentative.append(problem) } else { problems.add(problem) }
  }

  private func rowPath(_ index: Int) -> String { "\(path).rows[\(index)]" }

  // MARK: Formats

  /// Reads a file's bytes.
  ///
  /// - Parameter format: which form it has, where its content says nothing else.
  mutating func read(_ bytes: [UInt8], format: Format?) { read(HeldBytes(bytes), format, chunk: max(1, bytes.count)) }

  /// Reads a file, so many bytes of it at a time.
  mutating func read(_ file: OpenedFile, format: Format?, chunk: Int = 1 << 20) { read(file, format, chunk: chunk) }

  private mutating func read(_ source: any ByteSource, _ format: Format?, chunk: Int) {
    do throws(LocalFile.Failure) {
      switch try FileContent.of(source, name: fileName ?? "FILE") {
      case .text(let source):
        var window = ByteWindow(source, chunk: chunk)
        read(&window, format)
      case .other(let what, let remedy):
        note(path, "\(subject) holds \(what), which is not read. \(remedy)")
      }
    } catch {
      noteFailure(error)
    }
  }

  /// How messages call what is read.
  private var subject: String { fileName ?? "The content" }

  private mutating func noteFailure(_ failure: LocalFile.Failure) {
    note(path, "\(subject == fileName ? "The file" : subject) cannot be read: \(failure.reason).")
  }

  private mutating func read(_ window: inout ByteWindow, _ format: Format?) {
    readText(&window, format)
    isCancelled = window.isCancelled
    if let failure = window.failure { noteFailure(failure) }
  }

  private mutating func readText(_ window: inout ByteWindow, _ format: Format?) {
    let expected = format ?? fileName.flatMap { Format(fileName: $0) }
    guard let place = window.firstOffset(where: { !isJSONSpace($0) }) else { return }
    if format?.isTable == true { return readTable(&window, expected) }
    switch window.bytes[window.position + place] {
    case UInt8(ascii: "{"):
      let line = firstLine(&window)
      if line.isWhole, line.isFollowed || (line.isRow && expected != .json) { return readLines(&window) }
      if !line.isWhole, expected?.isTable == true { return readTable(&window, expected) }
      expected == .jsonl && !line.isWhole && !line.isBracket ? readLines(&window) : readDocument(&window)
    case UInt8(ascii: "["):
      let next = window.firstOffset(from: place + 1) { !isJSONSpace($0) }.map { window.bytes[window.position + $0] }
      if expected?.isTable == true, next != UInt8(ascii: "{"), next != UInt8(ascii: "[") {
        return readTable(&window, expected)
      }
      let line = firstLine(&window)
      // Lines of arrays, each of which is then told to be no row.
      expected == .jsonl && line.isWhole && line.isFollowed ? readLines(&window) : readArray(&window)
    default:
      guard let expected, !expected.isTable else { return readTable(&window, expected) }
      if Delimiter.found(in: &window, expected: .comma).isCertain { return readTable(&window, expected) }
      expected == .jsonl ? readLines(&window) : readDocument(&window)
    }
  }

  /// What the first line that is not empty says of the rest.
  private struct FirstLine {
    /// Whether it is JSON on its own.
    var isWhole: Bool
    /// Whether it is an object that is no document of rows.
    var isRow: Bool
    /// Whether more follows.
    var isFollowed: Bool
    /// Whether it is a bracket only, as in a document that is written over several lines.
    var isBracket: Bool
  }

  private mutating func firstLine(_ window: inout ByteWindow) -> FirstLine {
    let start = window.firstOffset(where: { $0 != 0x0A && $0 != 0x0D }) ?? 0
    let end = window.firstOffset(from: start, where: { $0 == 0x0A })
    let isFollowed = end.map { window.firstOffset(from: $0, where: { !isJSONSpace($0) }) != nil } ?? false
    let behind = end.map { window.position + $0 } ?? window.bytes.count
    let line = window.bytes[window.position + start..<behind]
    let value = try? parsed(line)
    let isRow = value?.objectValue.map { object in !["rows", "data", "columns"].contains { object[$0] != nil } }
    return FirstLine(
      isWhole: value != nil, isRow: isRow ?? false, isFollowed: isFollowed,
      isBracket: line.filter { !isJSONSpace($0) }.count == 1)
  }

  /// The JSON of a text; NaN and the infinities are admitted, as Python's `json.dumps` writes them.
  private mutating func parsed(_ text: ArraySlice<UInt8>) throws(JSONSyntaxError) -> JSONValue {
    do throws(JSONSyntaxError) {
      return try JSONReader.read(text)
    } catch {
      guard let value = try? JSONReader.readWithNonNumbers(text) else { throw error }
      metNonNumbers = true
      return value
    }
  }

  private func isJSONSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

  /// JSON Lines: an object a line; blank lines do not count.
  private mutating func readLines(_ window: inout ByteWindow) {
    var index = 0
    var line = 0
    while mayGoOn, !window.isCancelled {
      let end = window.firstOffset(where: { $0 == 0x0A })
      let text = end.map { window.bytes[window.position..<window.position + $0] } ?? window.bytes[window.position...]
      line += 1
      // What was cut off where reading failed is no line.
      if end == nil, window.failure != nil { return }
      if !text.allSatisfy(isJSONSpace) {
        do throws(JSONSyntaxError) {
          append(try parsed(text), index: index, where: " (line \(line))")
        } catch {
          note(rowPath(index), "Line \(line) is not JSON: \(error).")
        }
        index += 1
      }
      guard let end else { return }
      window.position += end + 1
    }
  }

  /// A JSON array, of which an element at a time is in memory.
  private mutating func readArray(_ window: inout ByteWindow) {
    // What fits into memory at once is looked at as a whole.
    guard !window.isAtEnd else { return readDocument(&window) }
    isTentative = true
    var elements = ArrayElements(&window)
    var index = 0
    while mayGoOn, let element = elements.next(&window) {
      guard let value = try? parsed(element) else {
        elements.isBroken = true
        break
      }
      append(value, index: index)
      index += 1
    }
    isTentative = false
    guard elements.isBroken, !window.isCancelled, window.failure == nil else {
      for problem in tentative { problems.add(problem) }
      return
    }
    // The document as a whole says what is wrong, and where.
    noted = 0
    window.rewind()
    readDocument(&window)
  }

  private mutating func readDocument(_ window: inout ByteWindow) {
    do throws(JSONSyntaxError) {
      let content = window.rest(upTo: Dataset.maximumDocumentBytes)
      guard !window.isCancelled, window.failure == nil else { return }
      guard content.count <= Dataset.maximumDocumentBytes else {
        note(
          path,
          "The file is one JSON document of more than the \(Dataset.maximumDocumentBytes) bytes that are read at once. "
            + "Write it as JSON Lines, one object a line, or as an array of rows.")
        return
      }
      read(try parsed(content))
    } catch {
      let isSeveral = error.message.hasPrefix("Unexpected text after")
      note(
        path,
        "The file is not JSON: \(error)."
          + (isSeveral ? " Several objects stand one a line: jq -c . FILE > rows.jsonl" : ""))
    }
  }

  /// Rows from a JSON value in any of the accepted forms.
  mutating func read(_ value: JSONValue) {
    switch value {
    case .array(let elements): append(elements)
    case .object(let object):
      if let rows = object["rows"]?.arrayValue {
        append(rows)
      } else if let columns = object["columns"]?.arrayValue, let data = object["data"]?.arrayValue {
        readColumns(columns, data)
      } else if let data = object["data"]?.arrayValue {
        append(data)
      } else {
        note(
          path,
          "Expected an array of rows, {\"rows\": [...]}, {\"data\": [...]} or {\"columns\": [...], "
            + "\"data\": [[...]]}; got an object with the members \(object.keys.prefix(8).joined(separator: ", ")).")
      }
    default: note(path, "Expected an array of rows, got \(value.kindName).", got: value.excerpt)
    }
  }

  private mutating func readColumns(_ columns: [JSONValue], _ data: [JSONValue]) {
    let names = columns.compactMap(\.stringValue)
    guard names.count == columns.count, checkColumns(names, place: "\(path).columns") else {
      if names.count != columns.count { note("\(path).columns", "Every column name must be a string.") }
      return
    }
    for (index, element) in data.enumerated() {
      if case .array(let cells) = element, cells.count == names.count {
        append(.object(JSONObject(zip(names, cells))), index: index)
      } else {
        let came = element.arrayValue.map { "\($0.count) cells" } ?? element.kindName
        note(rowPath(index), "Expected \(names.count) cells, one a column; got \(came).", got: element.excerpt)
      }
      guard mayGoOn else { return }
    }
  }

  private mutating func checkColumns(_ names: [String], place: String) -> Bool {
    var seen: Set<String> = []
    for (index, name) in names.enumerated() {
      if name.isEmpty {
        note(place, "Column \(index + 1) has no name.")
      } else if !seen.insert(name).inserted {
        note(place, "The column name \"\(name.prefix(80))\" appears twice.")
      }
    }
    return isClean
  }

  // MARK: Rows

  private mutating func append(_ elements: [JSONValue]) {
    for (index, element) in elements.enumerated() {
      append(element, index: index)
      guard mayGoOn else { return }
    }
  }

  private mutating func append(_ value: JSONValue, index: Int, where place: String = "") {
    guard case .object(let row) = value else {
      note(rowPath(index), "A row must be an object, got \(value.kindName)\(place).", got: value.excerpt)
      return
    }
    guard !row.isEmpty else {
      note(rowPath(index), "This row has no members\(place).")
      return
    }
    guard rows.count < Self.maximumRows else {
      note(path, "There are more rows than the \(Self.maximumRows) allowed.")
      noted = Self.maximumProblems
      return
    }
    take(row)
  }

  /// Takes a row as the content has it.
  private mutating func take(_ given: JSONObject) {
    var row = columns.isEmpty ? given : renamed(given)
    if metNonNumbers { row = withoutNonNumbers(row) }
    for key in required where lacks(row, key) && lacking.count < Self.maximumProblems {
      lacking.append((rows.count, key, Array(row.keys.prefix(8))))
    }
    append(row)
  }

  private func lacks(_ row: JSONObject, _ key: String) -> Bool {
    guard let value = row[key] else { return true }
    return value.isNull && nonNumbers.contains(key)
  }

  /// The row with the members that `columns` names. A column that a member is named after gives way to the one that is
  /// named for it.
  private mutating func renamed(_ row: JSONObject) -> JSONObject {
    if firstColumns == nil { firstColumns = row.keys }
    var result = JSONObject()
    for (name, value) in row {
      let members = columns.filter { $0.value == name }.keys.sorted()
      if members.isEmpty, columns[name] == nil { result[name] = value }
      for member in members { result[member] = value }
      if !members.isEmpty { foundColumns.insert(name) }
    }
    return result
  }

  private mutating func withoutNonNumbers(_ row: JSONObject) -> JSONObject {
    var result = row
    for (name, value) in row {
      let plain = Self.withoutNonNumbers(value)
      if plain == value { continue }
      result[name] = plain
      nonNumbers.insert(name)
    }
    return result
  }

  private static func withoutNonNumbers(_ value: JSONValue) -> JSONValue {
    switch value {
    case .number(let word) where JSONReader.nonNumbers.contains(word): .null
    case .array(let elements): .array(elements.map(withoutNonNumbers))
    case .object(let object): .object(JSONObject(object.map { ($0.key, withoutNonNumbers($0.value)) }))
    default: value
    }
  }

  /// Notes the columns that were asked for and are not among those there are.
  private mutating func checkAsked(among known: [String]) {
    for member in columns.keys.sorted() {
      guard let column = columns[member], !known.contains(column), !foundColumns.contains(column) else { continue }
      let names = known.prefix(40).map { "\"\($0)\"" }.joined(separator: ", ")
      noted += 1
      note(
        Problem(
          path: "\(path).columns.\(member)", message: "There is no column \"\(column)\"; there are \(names).",
          got: column,
          allowed: Array(known.prefix(40)), suggestion: nearest(to: column, among: known)))
    }
  }

  /// Takes a row as it is.
  mutating func append(_ row: JSONObject) {
    do throws(LocalFile.Failure) {
      try rows.append(row)
    } catch {
      noteSpace(error)
    }
  }

  private mutating func noteSpace(_ error: LocalFile.Failure) {
    note(
      path,
      "The rows are too many for memory and cannot be put into a temporary file: \(error.reason). $TMPDIR can name "
        + "another directory.")
    noted = Self.maximumProblems
  }

  /// What was read; nil where reading was cancelled, and where something was wrong, which has been noted, unless what is
  /// right is wanted even so.
  mutating func finish(evenIfWrong: Bool = false) -> Rows? {
    if isClean, let firstColumns { checkAsked(among: firstColumns) }
    for (index, key, keys) in lacking where isClean || mayGoOn {
      let what = keys.contains(key) ? "is NaN, which is no value" : "is missing"
      note(rowPath(index), "The input \"\(key)\" \(what); the row has \(keys.joined(separator: ", ")).")
    }
    guard isClean || evenIfWrong, !isCancelled else { return nil }
    do throws(LocalFile.Failure) {
      return try rows.finish()
    } catch {
      noteSpace(error)
      return nil
    }
  }

  // MARK: Tables

  private mutating func readTable(_ window: inout ByteWindow, _ expected: Format?) {
    let usual: Delimiter = expected == .tsv ? .tab : .comma
    let delimiter = Delimiter.stated(in: &window) ?? Delimiter.found(in: &window, expected: usual).delimiter
    // Only what is not to be expected is worth a word.
    let kind = delimiter == usual ? "" : " (read as \(delimiter.text))"
    var reader = CSVReader(delimiter: delimiter.rawValue)
    do throws(CSVReader.SyntaxError) {
      guard let header = try reader.next(&window) else { return }
      let names = TableColumns(header.fields, keeping: Set(columns.values))
      if let problem = names.problem { note(path, problem + kind) }
      guard isClean, checkColumns(names.kept.map(\.name), place: path) else { return }
      for column in types.keys.sorted() where !header.fields.contains(columns[column] ?? column) {
        note(
          "\(path).types.\(column)",
          "The file has no such column; it has \(header.fields.joined(separator: ", "))\(kind).")
      }
      checkAsked(among: names.kept.map(\.name))
      var index = 0
      while mayGoOn, !window.isCancelled, let record = try reader.next(&window) {
        if window.failure != nil { return }
        appendRecord(record, names, index: index, kind)
        index += 1
      }
    } catch {
      if window.failure == nil { note(path, "Line \(error.line) is not CSV: \(error.message)\(kind).") }
    }
  }

  private mutating func appendRecord(_ record: CSVReader.Record, _ columns: TableColumns, index: Int, _ kind: String) {
    guard record.fields.count == columns.count else {
      note(
        rowPath(index),
        "Line \(record.line) has \(record.fields.count) fields, the first line names \(columns.count) columns\(kind).")
      return
    }
    if let place = columns.empty.first(where: { !record.fields[$0].isEmpty }) {
      note(
        rowPath(index), "Line \(record.line) has a text in column \(place + 1), to which the first line gives no name.",
        got: JSONValue.string(record.fields[place]).excerpt)
      return
    }
    var row = JSONObject()
    for (place, name) in columns.kept {
      let text = record.fields[place]
      let type = columnType(name)
      if let value = typed(text, as: type) {
        row.append(name, value)
      } else {
        note(
          "\(rowPath(index)).\(name)", "Line \(record.line): this is no \(type.rawValue).",
          got: JSONValue.string(text).excerpt)
      }
    }
    append(.object(row), index: index)
  }

  /// A column's type goes by its own name, or by that of a member which takes its value.
  private func columnType(_ name: String) -> ColumnType {
    types[name] ?? columns.keys.sorted().lazy.filter { columns[$0] == name }.compactMap { types[$0] }.first ?? .string
  }

  /// The text of a cell as a value of the type; an empty cell of another type than string is null.
  private func typed(_ text: String, as type: ColumnType) -> JSONValue? {
    if type == .string { return .string(text) }
    if text.isEmpty { return .null }
    switch type {
    case .string: return .string(text)
    case .int: return Int(text).map(JSONValue.int)
    case .float:
      guard let value = try? JSONReader.read(text), value.doubleValue != nil else { return nil }
      return value
    case .bool:
      switch text.lowercased() {
      case "true", "1", "yes": return true
      case "false", "0", "no": return false
      default: return nil
      }
    case .json: return try? JSONReader.read(text)
    }
  }
}
