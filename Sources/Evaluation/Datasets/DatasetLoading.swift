package import Failures
package import JSON
package import Schema

/// What loading a data set may look at beside the request.
package struct DatasetPlaces: Sendable {
  /// The directory in which Hone keeps its store; downloaded data sets stand in `datasets/` beneath it.
  package var home: String
  /// The directory from which relative paths count.
  package var baseDirectory: String
  /// The directory that `$HONE_DATA` names, if any.
  package var dataDirectory: String?

  package init(home: String, baseDirectory: String, dataDirectory: String? = environmentDataDirectory) {
    self.home = home
    self.baseDirectory = baseDirectory
    self.dataDirectory = dataDirectory
  }

  /// `$HONE_DATA`, or nil where it is unset or empty.
  package static var environmentDataDirectory: String? { environmentValue("HONE_DATA") }
}

extension Dataset {
  /// The most bytes a data file may have: 256 MiB.
  package static let maximumFileBytes = 256 << 20

  /// The data sets that go by name.
  package static let names = ["gsm8k", "word-problems"]

  /// The data set that a request's value describes, or nil with everything wrong noted.
  ///
  /// Accepted are
  /// - an array of row objects;
  /// - `{"rows": […], "inputs"?, "name"?}`;
  /// - `{"path": …, "format"?, "inputs"?, "types"?, "name"?}`: a file of JSON Lines, JSON, CSV or TSV, by
  ///   its extension, else by its content;
  /// - `{"name": "gsm8k" | "word-problems", "split"?, "path"?}`;
  ///
  /// each object also with `limit`, `offset` and `shuffleSeed` (see `RowSelection`).
  ///
  /// - Parameters:
  ///   - path: the value's place in the request (`trainset`), for the paths of problems.
  ///   - problems: receives what is wrong with the request.
  ///   - dataProblems: receives what is wrong with a file that the request names, where a caller reports
  ///     that apart (as `datasetInvalid`); `problems` unless given.
  package static func load(
    _ value: JSONValue, path: String, places: DatasetPlaces, problems: ProblemList, dataProblems: ProblemList? = nil
  ) -> Dataset? {
    switch value {
    case .array:
      return loadInline(value, reader: nil, path: path, problems: problems)
    case .object(let object):
      let reader = FieldReader(object, path: path, problems: problems)
      let dataProblems = dataProblems ?? problems
      if object["rows"] != nil {
        let rows: JSONValue = ["rows": reader.value("rows") ?? .null]
        return loadInline(rows, reader: reader, path: path, problems: problems)
      }
      if let name = object["name"], object["path"] == nil || names.contains(name.stringValue ?? "") {
        return loadNamed(reader, places: places, dataProblems: dataProblems)
      }
      if object["path"] != nil { return loadFile(reader, places: places, dataProblems: dataProblems) }
      problems.add(
        Problem(
          path: path, message: "A data set needs one of \"rows\", \"path\" and \"name\".", got: value.excerpt,
          allowed: ["rows", "path", "name"]))
      return nil
    default:
      problems.add(
        Problem(
          path: path,
          message: "Expected a data set (an array of rows, or an object with rows, path or name), got "
            + "\(value.kindName).",
          got: value.excerpt))
      return nil
    }
  }

  /// `load(_:path:places:problems:dataProblems:)` with the places one by one.
  package static func load(
    _ value: JSONValue, path: String, home: String, baseDirectory: String, problems: ProblemList
  ) -> Dataset? {
    load(value, path: path, places: DatasetPlaces(home: home, baseDirectory: baseDirectory), problems: problems)
  }

  private static func loadInline(
    _ value: JSONValue, reader: FieldReader?, path: String, problems: ProblemList
  ) -> Dataset? {
    let before = problems.problems.count
    let name = reader?.string("name") ?? "inline"
    let inputs = reader.flatMap(inputKeys)
    let selection = reader.map { RowSelection($0) } ?? RowSelection()
    reader?.finish()
    if let rows = value["rows"], rows.arrayValue == nil {
      problems.add(
        Problem(path: "\(path).rows", message: "Expected an array of rows, got \(rows.kindName).", got: rows.excerpt))
      return nil
    }
    var rows = RowReader(path: path, problems: problems)
    rows.read(value)
    let source = Source(type: "inline", details: selection.json)
    return finish(
      &rows, selection: selection, inputs: inputs, isClean: problems.problems.count == before,
      make: { Dataset(name: name, rows: $0, inputKeys: inputs, source: source) })
  }

  private static func loadFile(_ reader: FieldReader, places: DatasetPlaces, dataProblems: ProblemList) -> Dataset? {
    let before = reader.problems.problems.count
    let file = reader.requiredString("path") ?? ""
    let inputs = inputKeys(reader)
    let selection = RowSelection(reader)
    let format = reader.choice("format", of: RowReader.Format.allCases.map(\.rawValue))
    let types = columnTypes(reader)
    let name = reader.string("name")
    reader.finish()
    guard reader.problems.problems.count == before else { return nil }
    guard !file.isEmpty, !file.utf8.contains(0) else {
      reader.problems.add(reader.place("path"), "This is not the path of a file.")
      return nil
    }
    let location = LocalFile.resolve(file, base: places.baseDirectory)
    let bytes: [UInt8]
    do throws(LocalFile.Failure) {
      bytes = try LocalFile.read(location, maximumBytes: maximumFileBytes)
    } catch {
      dataProblems.add(reader.place("path"), "\(location) cannot be read: \(error.reason).")
      return nil
    }
    let dataBefore = dataProblems.problems.count
    var rows = RowReader(path: reader.path, problems: dataProblems)
    rows.types = types
    rows.read(bytes, format: format.flatMap { RowReader.Format(rawValue: $0) } ?? RowReader.Format(fileName: file))
    let fileName = file.split(separator: "/").last.map(String.init) ?? file
    return finish(
      &rows, selection: selection, inputs: inputs, isClean: dataProblems.problems.count == dataBefore,
      make: {
        Dataset(
          name: name ?? fileName, rows: $0, inputKeys: inputs,
          source: Source(type: "local", uri: location, details: selection.json))
      })
  }

  private static func loadNamed(_ reader: FieldReader, places: DatasetPlaces, dataProblems: ProblemList) -> Dataset? {
    let before = reader.problems.problems.count
    guard let name = reader.choice("name", of: names) else { return nil }
    let inputs = inputKeys(reader) ?? ["question"]
    let selection = RowSelection(reader)
    let splits = name == "gsm8k" ? GSM8K.Split.allCases.map(\.rawValue) : WordProblems.splits
    let split = reader.choice("split", of: splits) ?? "train"
    let directory = name == "gsm8k" ? reader.string("path") : nil
    reader.finish()
    guard reader.problems.problems.count == before else { return nil }
    let dataBefore = dataProblems.problems.count
    var rows = RowReader(path: reader.path, problems: dataProblems)
    var details: JSONObject = ["split": .string(split)]
    if name == "gsm8k" {
      let directory = directory.map { LocalFile.resolve($0, base: places.baseDirectory) }
      let gsm8k = GSM8K(
        directories: directory.map { [$0] } ?? GSM8K.directories(in: places), path: reader.path, problems: dataProblems)
      guard let loaded = gsm8k.load(GSM8K.Split(rawValue: split) ?? .train) else { return nil }
      rows.read(.array(loaded.rows.map(JSONValue.object)))
      details.append("official", .bool(loaded.isOfficial))
    } else {
      rows.read(.array(WordProblems.rows(split: split).map(JSONValue.object)))
    }
    details = details.merging(selection.json)
    return finish(
      &rows, selection: selection, inputs: inputs, isClean: dataProblems.problems.count == dataBefore,
      make: {
        Dataset(
          name: "\(name)/\(split)", rows: $0, inputKeys: inputs,
          source: Source(type: "builtin", uri: "\(name)/\(split)", details: details))
      })
  }

  // MARK: Parts of requests

  private static func inputKeys(_ reader: FieldReader) -> [String]? {
    guard let keys = reader.strings("inputs", "input_keys", "inputKeys") else { return nil }
    if keys.isEmpty { reader.problems.add(reader.place("inputs"), "Name at least one input, or leave this out.") }
    for (index, key) in keys.enumerated() where keys[..<index].contains(key) {
      reader.problems.add("\(reader.place("inputs"))[\(index)]", "\"\(key)\" stands twice.")
    }
    return keys.isEmpty ? nil : keys
  }

  private static func columnTypes(_ reader: FieldReader) -> [String: String] {
    let allowed = ["string", "int", "float", "bool", "json"]
    var types: [String: String] = [:]
    for (column, value) in reader.object("types") ?? [:] {
      guard let type = value.stringValue, allowed.contains(type) else {
        reader.problems.add(
          Problem(
            path: "\(reader.place("types")).\(column)",
            message: "Expected one of \(allowed.joined(separator: ", ")), got \(value.excerpt).", got: value.excerpt,
            allowed: allowed, suggestion: value.stringValue.flatMap { nearest(to: $0, among: allowed) }))
        continue
      }
      types[column] = type
    }
    return types
  }

  /// Checks inputs and number of rows and makes the data set, if nothing was wrong.
  private static func finish(
    _ reader: inout RowReader, selection: RowSelection, inputs: [String]?, isClean: Bool,
    make: ([JSONObject]) -> Dataset
  ) -> Dataset? {
    for (index, row) in reader.rows.enumerated() where reader.isClean || reader.mayGoOn {
      for key in inputs ?? [] where row[key] == nil {
        reader.note(
          "\(reader.path).rows[\(index)]",
          "The input \"\(key)\" is missing; the row has \(row.keys.prefix(8).joined(separator: ", ")).")
      }
    }
    guard reader.isClean, isClean else { return nil }
    guard !reader.rows.isEmpty else {
      reader.note(reader.path, "The data set is empty: it needs at least one row.")
      return nil
    }
    let rows = selection.apply(to: reader.rows)
    guard !rows.isEmpty else {
      reader.note(
        reader.path, "No row is left: the source has \(reader.rows.count) rows and offset is \(selection.offset).")
      return nil
    }
    return make(rows)
  }
}

extension ProblemList {
  /// Throws `datasetInvalid` with all problems, if there are any.
  package func checkData(_ what: String) throws(HoneError) {
    guard let first = problems.first else { return }
    let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
    throw HoneError(
      .datasetInvalid, "\(what): \(first)\(more)", remedy: "Mend the data that the problems name and ask again.",
      problems: problems)
  }
}
