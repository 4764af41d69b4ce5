package import Failures
package import JSON
import Platform
package import Schema
import Simulation

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
  package static var environmentDataDirectory: String? { Environment.value("HONE_DATA") }
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
    case .array: return loadInline(value, DatasetRequest(), path: path, problems: problems)
    case .object(let object):
      let before = problems.problems.count
      let request = DatasetRequest.taken(from: FieldReader(object, path: path, problems: problems))
      let isRight = problems.problems.count == before
      let dataProblems = dataProblems ?? problems
      if object["rows"] != nil {
        let rows = loadInline(["rows": object["rows"] ?? .null], request, path: path, problems: problems)
        return isRight ? rows : nil
      }
      guard isRight else { return nil }
      switch request.kind {
      case .inline: return nil
      case .named: return loadNamed(request, path: path, places: places, problems, dataProblems)
      case .file: return loadFile(request, path: path, places: places, problems, dataProblems)
      }
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
    _ value: JSONValue, _ request: DatasetRequest, path: String, problems: ProblemList
  ) -> Dataset? {
    if let rows = value["rows"], rows.arrayValue == nil {
      problems.add(
        Problem(path: "\(path).rows", message: "Expected an array of rows, got \(rows.kindName).", got: rows.excerpt))
      return nil
    }
    var rows = RowReader(path: path, problems: problems)
    rows.read(value)
    return finish(
      &rows, request,
      make: {
        Dataset(
          name: request.name ?? "inline", rows: $0, inputKeys: request.inputs,
          source: Source(type: "inline", details: request.selection.given))
      })
  }

  private static func loadFile(
    _ request: DatasetRequest, path: String, places: DatasetPlaces, _ problems: ProblemList,
    _ dataProblems: ProblemList
  ) -> Dataset? {
    let file = request.path ?? ""
    guard !file.isEmpty, !file.utf8.contains(0) else {
      problems.add("\(path).path", "This is not a file path.")
      return nil
    }
    let location = LocalFile.resolve(file, base: places.baseDirectory)
    let bytes: [UInt8]
    do throws(LocalFile.Failure) {
      bytes = try LocalFile.read(location, maximumBytes: maximumFileBytes)
    } catch {
      dataProblems.add("\(path).path", "\(location) cannot be read: \(error.reason).")
      return nil
    }
    var rows = RowReader(path: path, problems: dataProblems)
    rows.types = request.types
    rows.read(bytes, format: request.format ?? RowReader.Format(fileName: file))
    let fileName = file.split(separator: "/").last.map(String.init) ?? file
    return finish(
      &rows, request,
      make: {
        Dataset(
          name: request.name ?? fileName, rows: $0, inputKeys: request.inputs,
          source: Source(type: "local", uri: location, details: request.selection.given))
      })
  }

  private static func loadNamed(
    _ request: DatasetRequest, path: String, places: DatasetPlaces, _ problems: ProblemList,
    _ dataProblems: ProblemList
  ) -> Dataset? {
    guard let name = request.name, names.contains(name) else {
      problems.notAmong(names, at: "\(path).name", got: request.name.jsonValue)
      return nil
    }
    let splits = name == "gsm8k" ? GSM8K.Split.allCases.map(\.rawValue) : WordProblems.splits
    let split = request.split ?? "train"
    guard splits.contains(split) else {
      problems.notAmong(splits, at: "\(path).split", got: .string(split))
      return nil
    }
    var rows = RowReader(path: path, problems: dataProblems)
    var details: JSONObject = ["split": .string(split)]
    if name == "gsm8k" {
      let directory = request.path.map { LocalFile.resolve($0, base: places.baseDirectory) }
      let gsm8k = GSM8K(
        directories: directory.map { [$0] } ?? GSM8K.directories(in: places), path: path, problems: dataProblems)
      guard let loaded = gsm8k.load(GSM8K.Split(rawValue: split) ?? .train) else { return nil }
      rows.read(.array(loaded.rows.map(JSONValue.object)))
      details.append("official", .bool(loaded.isOfficial))
    } else {
      rows.read(.array(WordProblems.rows(split: split).map(JSONValue.object)))
    }
    details = details.merging(request.selection.given)
    return finish(
      &rows, request, inputs: request.inputs ?? ["question"],
      make: {
        Dataset(
          name: "\(name)/\(split)", rows: $0, inputKeys: request.inputs ?? ["question"],
          source: Source(type: "builtin", uri: "\(name)/\(split)", details: details))
      })
  }

  /// Checks inputs and number of rows and makes the data set, if nothing was wrong.
  private static func finish(
    _ reader: inout RowReader, _ request: DatasetRequest, inputs: [String]? = nil, make: ([JSONObject]) -> Dataset
  ) -> Dataset? {
    for (index, row) in reader.rows.enumerated() where reader.isClean || reader.mayGoOn {
      for key in inputs ?? request.inputs ?? [] where row[key] == nil {
        reader.note(
          "\(reader.path).rows[\(index)]",
          "The input \"\(key)\" is missing; the row has \(row.keys.prefix(8).joined(separator: ", ")).")
      }
    }
    guard reader.isClean else { return nil }
    guard !reader.rows.isEmpty else {
      reader.note(reader.path, "The data set is empty: it needs at least one row.")
      return nil
    }
    let rows = request.selection.apply(to: reader.rows)
    guard !rows.isEmpty else {
      reader.note(
        reader.path,
        "No row is left: the source has \(reader.rows.count) rows and offset is \(request.selection.offset).")
      return nil
    }
    return make(rows)
  }
}

extension ProblemList {
  /// Throws `datasetInvalid` with all problems, if there are any.
  package func checkData(_ what: String) throws(HoneError) {
    let problems = distinct
    guard let first = problems.first else { return }
    let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
    throw HoneError(
      .datasetInvalid, "\(what): \(first)\(more)", remedy: "Fix the data that the problems name and ask again.",
      problems: problems)
  }
}
