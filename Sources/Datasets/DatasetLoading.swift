package import Failures
package import JSON
package import Platform
import RowStorage
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
  /// The only directory whose files the request may name; nil for no such bound.
  package var enclosure: Enclosure?

  package init(home: String, baseDirectory: String, dataDirectory: String? = environmentDataDirectory) {
    self.home = home
    self.baseDirectory = baseDirectory
    self.dataDirectory = dataDirectory
  }

  /// `$HONE_DATA`, or nil where it is unset or empty.
  package static var environmentDataDirectory: String? { Environment.value("HONE_DATA") }
}

extension Dataset {
  /// The most bytes a data file may have: 4 GiB.
  package static let maximumFileBytes = 4 << 30

  /// The most bytes that a file may have which can only be read as a whole: 256 MiB.
  package static let maximumDocumentBytes = 256 << 20

  /// The data sets that go by name.
  package static let names = ["gsm8k", "word-problems"]

  /// The data set that a request's value describes, or nil with everything wrong noted.
  ///
  /// Accepted are
  /// - an array of row objects;
  /// - `{"rows": […], "inputs"?, "name"?}`;
  /// - `{"path": …, "format"?, "inputs"?, "types"?, "name"?}`: a file (see `RowReader`);
  /// - `{"text": …}`: the content of such a file;
  /// - `{"name": "gsm8k" | "word-problems", "split"?, "path"?}`;
  /// - a text that stands for one of the last three (see `described(by:)`);
  ///
  /// each object also with `columns`, `limit`, `offset` and `shuffleSeed` (see `RowSelection`).
  ///
  /// - Parameters:
  ///   - path: the value's place in the request (`trainset`), for the paths of problems.
  ///   - problems: receives what is wrong with the request.
  ///   - dataProblems: receives what is wrong with a file that the request names, where a caller reports
  ///     that apart (as `datasetInvalid`); `problems` unless given.
  package static func load(
    _ value: JSONValue, path: String, places: DatasetPlaces, problems: ProblemList, dataProblems: ProblemList? = nil
  ) -> Dataset? {
    switch described(by: value) {
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
      case .text:
        var rows = RowReader(request, path: path, problems: problems)
        let text = request.text ?? ""
        rows.read(Array(text.utf8), format: request.format)
        return finishInline(&rows, request)
      case .file:
        let place = value.stringValue == nil ? "\(path).path" : path
        return loadFile(request, path: path, at: place, places: places, problems, dataProblems)
      }
    default:
      problems.add(
        Problem(
          path: path,
          message: "Expected a data set (an array of rows, an object with rows, path, text or name, or a text), got "
            + "\(value.kindName).",
          got: value.excerpt))
      return nil
    }
  }

  /// What a text stands for: `gsm8k:train` and the like for a data set that goes by name, several lines or JSON for a
  /// file's content, anything else for a file's path. Other values stand for themselves.
  package static func described(by value: JSONValue) -> JSONValue {
    guard case .string(let text) = value else { return value }
    let first = text.first { !$0.isWhitespace }
    if text.contains(where: \.isNewline) || first == "{" || first == "[" { return ["text": value] }
    let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
    guard let name = parts.first, names.contains(name) else { return ["path": value] }
    return parts.count == 2 ? ["name": .string(name), "split": .string(parts[1])] : ["name": .string(name)]
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
    var rows = RowReader(request, path: path, problems: problems)
    rows.read(value)
    return finishInline(&rows, request)
  }

  /// The data set of rows that stood in the request itself.
  private static func finishInline(_ rows: inout RowReader, _ request: DatasetRequest) -> Dataset? {
    return finish(
      &rows, request,
      make: {
        Dataset(
          name: request.name ?? "inline", rows: $0, inputKeys: request.inputs,
          source: Source(type: "inline", details: request.selection.given))
      })
  }

  private static func loadFile(
    _ request: DatasetRequest, path: String, at place: String, places: DatasetPlaces, _ problems: ProblemList,
    _ dataProblems: ProblemList
  ) -> Dataset? {
    let file = request.path ?? ""
    guard !file.isEmpty, !file.utf8.contains(0) else {
      problems.add(place, "This is not a file path.")
      return nil
    }
    var location = LocalFile.resolve(file, base: places.baseDirectory)
    if let enclosure = places.enclosure {
      guard let inside = enclosure.place(of: location) else {
        problems.add(place, enclosure.refusal(of: file))
        return nil
      }
      location = inside
    }
    let fileName = file.split(separator: "/").last.map(String.init) ?? file
    var rows = RowReader(request, path: path, problems: dataProblems)
    rows.fileName = fileName
    do throws(LocalFile.Failure) {
      rows.read(try OpenedFile(location, maximumBytes: maximumFileBytes), format: request.format)
    } catch {
      dataProblems.add(place, "\(location) cannot be read: \(error.reason).")
      return nil
    }
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
    var rows = RowReader(request, path: path, problems: dataProblems)
    rows.required = request.inputs ?? ["question"]
    var details: JSONObject = ["split": .string(split)]
    if name == "gsm8k" {
      let directory = request.path.map { LocalFile.resolve($0, base: places.baseDirectory) }
      if let enclosure = places.enclosure, let directory, enclosure.place(of: directory) == nil {
        problems.add("\(path).path", enclosure.refusal(of: directory))
        return nil
      }
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
      &rows, request,
      make: {
        Dataset(
          name: "\(name)/\(split)", rows: $0, inputKeys: request.inputs ?? ["question"],
          source: Source(type: "builtin", uri: "\(name)/\(split)", details: details))
      })
  }

  /// Makes the data set of the rows that were asked for, if nothing was wrong.
  private static func finish(
    _ reader: inout RowReader, _ request: DatasetRequest, make: (Rows) -> Dataset
  ) -> Dataset? {
    guard let all = reader.finish() else { return nil }
    guard !all.isEmpty else {
      reader.note(reader.path, "The data set is empty: it needs at least one row.")
      return nil
    }
    let rows = request.selection.apply(to: all)
    guard !rows.isEmpty else {
      reader.note(
        reader.path,
        "No row is left: the source has \(all.count) rows and offset is \(request.selection.offset).")
      return nil
    }
    var dataset = make(rows)
    dataset.nonNumbers = reader.nonNumbers
    return dataset
  }
}

extension RowReader {
  /// For what a request says of its rows.
  fileprivate init(_ request: DatasetRequest, path: String, problems: ProblemList) {
    self.init(path: path, problems: problems)
    types = request.types
    required = request.inputs ?? []
    columns = request.columns
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
