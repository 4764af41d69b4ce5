import Failures
import JSON
import Platform
import RowStorage
import Schema

/// Turns the content of a data file into rows, noting what is wrong with each.
///
/// Reads JSON Lines, JSON (an array of objects, `{"rows": […]}`, `{"data": […]}` or the table
/// `{"columns": […], "data": [[…]]}`), CSV and TSV. At most `maximumProblems` problems are noted;
/// then reading stops.
///
/// Files are read in parts, so that only the rows are kept, and those as `Rows` says. A document of JSON that is not an
/// array is read as a whole.
package struct RowReader {
  /// The forms a data file may have.
  package enum Format: String, SchemaChoice {
    case jsonl, json, csv, tsv

    /// By a file's name, or nil for an extension that says nothing.
    init?(fileName: String) {
      guard let dot = fileName.lastIndex(of: ".") else { return nil }
      switch fileName[fileName.index(after: dot)...].lowercased() {
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
  /// Whether reading stopped since nobody waits for the rows any more.
  private(set) var isCancelled = false
  private var rows = RowsBuilder()
  private var noted = 0
  /// What is wrong with the elements of a document of which it is not known yet whether it is one.
  private var tentative: [Problem] = []
  private var isTentative = false
  /// The first rows that lack a required member.
  private var lacking: [(index: Int, key: String, keys: [String])] = []

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

  /// Reads a file's bytes; without a format, by what stands in them.
  mutating func read(_ bytes: [UInt8], format: Format?) {
    var window = ByteWindow(bytes)
    read(&window, format)
  }

  /// Reads a file, so many bytes of it at a time; without a format, by what stands in it.
  mutating func read(_ file: OpenedFile, format: Format?, chunk: Int = 1 << 20) {
    var window = ByteWindow(file, chunk: chunk)
    read(&window, format)
  }

  private mutating func read(_ window: inout ByteWindow, _ format: Format?) {
    switch format {
    case .csv: readTable(&window, delimiter: UInt8(ascii: ","))
    case .tsv: readTable(&window, delimiter: UInt8(ascii: "\t"))
    case .jsonl: readLines(&window)
    case .json, nil:
      switch window.firstOffset(where: { !isJSONSpace($0) }).map({ window.bytes[window.position + $0] }) {
      case UInt8(ascii: "{") where firstLineIsWhole(&window): readLines(&window)
      case UInt8(ascii: "["): readArray(&window)
      case UInt8(ascii: "{"): readDocument(&window)
      default: format == nil ? readTable(&window, delimiter: UInt8(ascii: ",")) : readDocument(&window)
      }
    }
    isCancelled = window.isCancelled
    if let failure = window.failure { note(path, "The file cannot be read: \(failure.reason).") }
  }

  /// Whether the first line is a JSON object on its own and more lines follow.
  private func firstLineIsWhole(_ window: inout ByteWindow) -> Bool {
    guard let start = window.firstOffset(where: { $0 != 0x0A }),
      let end = window.firstOffset(from: start, where: { $0 == 0x0A }),
      window.firstOffset(from: end, where: { !isJSONSpace($0) }) != nil
    else { return false }
    return (try? JSONReader.read(window.bytes[window.position + start..<window.position + end])) != nil
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
      if !text.allSatisfy(isJSONSpace) {
        do throws(JSONSyntaxError) {
          append(try JSONReader.read(text), index: index, where: " (line \(line))")
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
      guard let value = try? JSONReader.read(element) else {
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
      let content = window.rest()
      guard content.count <= Dataset.maximumDocumentBytes else {
        note(
          path,
          "The file is one JSON document of \(content.count) bytes, more than the \(Dataset.maximumDocumentBytes) that are "
            + "read at once. Write it as JSON Lines, one object a line, or as an array of rows.")
        return
      }
      guard !window.isCancelled else { return }
      read(try JSONReader.read(content))
    } catch {
      note(path, "The file is not JSON: \(error).")
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
    for key in required where row[key] == nil && lacking.count < Self.maximumProblems {
      lacking.append((rows.count, key, Array(row.keys.prefix(8))))
    }
    append(row)
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
    for (index, key, keys) in lacking where isClean || mayGoOn {
      note(rowPath(index), "The input \"\(key)\" is missing; the row has \(keys.joined(separator: ", ")).")
    }
    guard isClean || evenIfWrong, !isCancelled else { return nil }
    do throws(LocalFile.Failure) {
      return try rows.finish()
    } catch {
      noteSpace(error)
      return nil
    }
  }

  // MARK: CSV

  private mutating func readTable(_ window: inout ByteWindow, delimiter: UInt8) {
    var reader = CSVReader(delimiter: delimiter)
    do throws(CSVReader.SyntaxError) {
      guard let header = try reader.next(&window) else { return }
      guard checkColumns(header.fields, place: path) else { return }
      for column in types.keys.sorted() where !header.fields.contains(column) {
        note("\(path).types.\(column)", "The file has no such column; it has \(header.fields.joined(separator: ", ")).")
      }
      var index = 0
      while mayGoOn, !window.isCancelled, let record = try reader.next(&window) {
        appendRecord(record, header: header.fields, index: index)
        index += 1
      }
    } catch {
      note(path, "Line \(error.line) is not CSV: \(error.message).")
    }
  }

  private mutating func appendRecord(_ record: CSVReader.Record, header: [String], index: Int) {
    guard record.fields.count == header.count else {
      note(
        rowPath(index),
        "Line \(record.line) has \(record.fields.count) fields, the first line names \(header.count) columns.")
      return
    }
    var row = JSONObject()
    for (name, text) in zip(header, record.fields) {
      if let value = typed(text, as: types[name] ?? .string) {
        row.append(name, value)
      } else {
        note(
          "\(rowPath(index)).\(name)", "Line \(record.line): this is no \((types[name] ?? .string).rawValue).",
          got: JSONValue.string(text).excerpt)
      }
    }
    append(.object(row), index: index)
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
