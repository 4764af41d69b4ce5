import Datasets
import Evaluation
import Failures
import JSON
import Programs
import RowStorage
import Schema

/// Looks at data sets as a careful person would before anything is asked: which rows have no value to compare with, and
/// which repeat others.
struct DataPreparation {
  let program: Program
  let metric: any Metric
  let terms: DataTerms
  /// What was found, for the result's warnings.
  private(set) var warnings: [String] = []

  /// Whether rows are compared with each other; a check, which an editor asks for at each pause in typing, need not.
  private let comparesRows: Bool

  init(_ program: Program, _ metric: any Metric, _ terms: DataTerms, comparesRows: Bool) {
    self.program = program
    self.metric = metric
    self.terms = terms
    self.comparesRows = comparesRows
  }

  // MARK: Labels

  /// The places of the rows that have what the metric compares with.
  ///
  /// - Parameters:
  ///   - isScored: whether all rows are for scoring; else a set without any such row is one for other uses.
  ///   - problems: hears of a set of which no row can be scored, and of every row where these are to be refused.
  mutating func labelled(
    _ dataset: Dataset, _ name: String, isScored: Bool, _ problems: ProblemList
  ) -> [Int] {
    let all = Array(dataset.rows.indices)
    guard terms.unlabeled != .score, let fields = metric.comparedFields, let label = label(fields, dataset) else {
      return all
    }
    var labelled: [Int] = []
    var missing: [Int] = []
    for (place, row) in dataset.rows.enumerated() {
      if Self.isMissing(row[label]) { missing.append(place) } else { labelled.append(place) }
    }
    guard !missing.isEmpty, isScored || !labelled.isEmpty else { return all }
    let what = "\"\(label)\", which the metric \(metric.name) compares with"
    if labelled.isEmpty {
      problems.add(
        Problem(
          path: name, message: "No row has a value for \(what).",
          got: dataset.rows.first.map { JSONValue.array($0.keys.map(JSONValue.string)).excerpt },
          suggestion: dataset.rows.first.flatMap { nearest(to: label, among: $0.keys) }))
    } else if terms.unlabeled == .refuse {
      for place in missing.prefix(Self.mostNamed) {
        problems.add(Problem(path: "\(name)[\(place)]", message: "The row has no value for \(what)."))
      }
      if missing.count > Self.mostNamed {
        problems.add(
          Problem(path: name, message: "\(missing.count) rows in all have no value for \(what): \(Self.list(missing)).")
        )
      }
    } else {
      warnings.append(
        "\(missing.count) of the \(all.count) rows of the \(name) have no value for \(what); they were left out: "
          + "\(Self.list(missing)).")
    }
    return labelled
  }

  private func label(_ fields: ComparedFields, _ dataset: Dataset) -> String? {
    var columns: Set<String> = []
    // Rows differ in what they have, but not without end.
    for row in dataset.rows.prefix(1000) { columns.formUnion(row.keys) }
    return fields.label(outputs: program.module.outputs.map(\.name), columns: columns)
  }

  /// An empty cell of a type that is no text is null by now; an empty text may be what is right.
  private static func isMissing(_ value: JSONValue?) -> Bool {
    switch value {
    case nil, .null?: true
    case .double(let number)?: !number.isFinite
    default: false
    }
  }

  // MARK: Repeated rows

  /// Rows of a data set, by their places in it.
  typealias Chosen = (name: String, dataset: Dataset, places: [Int])

  /// So many rows of all sets together are compared as a whole, and so many by their shingles.
  private static let mostCompared = 200_000
  private static let mostNear = 20_000

  /// The places of `places` whose rows stand neither in the earlier sets nor before in the set itself, where such rows are
  /// to be left out; else `places` as they are. Either way it is told.
  mutating func unrepeated(
    _ dataset: Dataset, _ places: [Int], _ name: String, after earlier: [Chosen]
  ) -> [Int] {
    let names = program.module.inputs.map(\.name)
    let count = places.count + earlier.reduce(0) { $0 + $1.places.count }
    // Looking at all would take longer than it is worth, and memory for each.
    guard comparesRows, count <= Self.mostCompared else { return places }
    let seesNear = count <= Self.mostNear
    var indices: [(name: String, index: SketchIndex)] = earlier.map { set in
      var index = SketchIndex()
      for place in set.places {
        index.add(RowSketch(set.dataset.rows[place], names: names, seesNear: seesNear), row: place)
      }
      return (set.name, index)
    }
    indices.append((name, SketchIndex()))
    var found: [String: (same: [(Int, Int)], near: [(Int, Int)])] = [:]
    var kept: [Int] = []
    for place in places {
      let sketch = RowSketch(dataset.rows[place], names: names, seesNear: seesNear)
      var isRepeated = false
      for (other, index) in indices {
        guard let match = index.match(sketch) else { continue }
        isRepeated = true
        if match.isSame {
          found[other, default: ([], [])].same.append((place, match.row))
        } else {
          found[other, default: ([], [])].near.append((place, match.row))
        }
        break
      }
      if !isRepeated { kept.append(place) }
      indices[indices.count - 1].index.add(sketch, row: place)
    }
    guard kept.count < places.count else { return places }
    // Nothing would be left: the sets are one.
    let drops = terms.duplicates == .drop && !kept.isEmpty
    for (other, _) in indices {
      guard let repeats = found[other] else { continue }
      warnings.append(note(repeats, name, of: places.count, other, drops: drops))
    }
    return drops ? kept : places
  }

  private func note(
    _ repeats: (same: [(Int, Int)], near: [(Int, Int)]), _ name: String, of count: Int, _ other: String, drops: Bool
  ) -> String {
    let isOwn = other == name
    var parts: [String] = []
    if !repeats.same.isEmpty {
      let all = repeats.same.count == count ? "All \(count)" : "\(repeats.same.count) of the \(count)"
      parts.append(
        "\(all) rows of the \(name) \(isOwn ? "repeat an earlier one" : "are in the \(other), too") "
          + "(\(Self.pairs(repeats.same, name, other)))")
    }
    if !repeats.near.isEmpty {
      let whose = isOwn ? "an earlier one" : "one of the \(other)"
      let start =
        parts.isEmpty
        ? "\(repeats.near.count) of the \(count) rows of the \(name) nearly repeat \(whose)"
        : "\(repeats.near.count) nearly so"
      parts.append("\(start) (\(Self.pairs(repeats.near, name, other)))")
    }
    let what = parts.joined(separator: ", ")
    if drops { return "\(what); they were left out." }
    if isOwn { return "\(what): each counts. duplicates: \"drop\" leaves them out." }
    return "\(what). No row is shown the demos that were made of it, but the score is that of rows the program learned "
      + "from. Give other rows, or leave these out with duplicates: \"drop\"."
  }

  /// Says that candidates are scored on the rows that they learn from.
  mutating func noteScoredTrainset(_ count: Int) {
    warnings.append(
      "There is no valset, so candidates are scored on the \(count) rows of the trainset. No row is shown the demos that "
        + "were made of it, but the score is that of rows the program learned from. Give a valset, or a testset.")
  }

  private static let mostNamed = 20

  private static func pairs(_ pairs: [(Int, Int)], _ name: String, _ other: String) -> String {
    let shown = pairs.prefix(3).map { "\(name)[\($0)] and \(other)[\($1)]" }
    return shown.joined(separator: ", ") + (pairs.count > 3 ? " …" : "")
  }

  /// Places as a person writes them: 0, 2–5, 9.
  private static func list(_ places: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for place in places {
      if let last = runs.last, last.upperBound + 1 == place {
        runs[runs.count - 1] = last.lowerBound...place
      } else {
        runs.append(place...place)
      }
    }
    let texts = runs.prefix(mostRuns).map { run in
      run.count == 1
        ? "\(run.lowerBound)"
        : run.count == 2
          ? "\(run.lowerBound), \(run.upperBound)"
          : "\(run.lowerBound)–\(run.upperBound)"
    }
    return texts.joined(separator: ", ") + (runs.count > mostRuns ? " …" : "")
  }

  private static let mostRuns = 500
}

extension Dataset {
  /// Some of the rows, in their order; itself where these are all.
  func choosing(_ places: [Int]) -> Dataset {
    places.count == count ? self : with(rows.choosing(places))
  }
}

extension RequestResolver {
  /// The rows of a data set that an evaluation scores; all of them where the request is wrong anyway.
  func scored(_ dataset: Dataset?, _ name: String, _ preparation: inout DataPreparation?) -> [Int] {
    guard let dataset else { return [] }
    guard preparation != nil, problems.isEmpty, dataProblems.isEmpty else { return Array(dataset.rows.indices) }
    let labelled = preparation?.labelled(dataset, name, isScored: true, dataProblems) ?? []
    return preparation?.unrepeated(dataset, labelled, name, after: []) ?? labelled
  }

  /// Takes rows out of a search's data sets that cannot be scored, or are not to be.
  ///
  /// - Parameter scoresTrainset: whether the trainset is scored where there is no valset.
  func prepare(
    _ trainset: inout Dataset?, _ valset: inout Dataset?, _ testset: inout Dataset?, scoresTrainset: Bool,
    _ preparation: inout DataPreparation?
  ) {
    guard var found = preparation, problems.isEmpty, dataProblems.isEmpty, let train = trainset else { return }
    let isScored = valset == nil && scoresTrainset
    let learned = found.labelled(train, "trainset", isScored: isScored, dataProblems)
    trainset = train.choosing(learned)
    var earlier: [DataPreparation.Chosen] = [("trainset", train, learned)]
    for (name, set) in [("valset", valset), ("testset", testset)] {
      guard let set else { continue }
      let labelled = found.labelled(set, name, isScored: true, dataProblems)
      let chosen = found.unrepeated(set, labelled, name, after: earlier)
      if name == "valset" { valset = set.choosing(chosen) } else { testset = set.choosing(chosen) }
      earlier.append((name, set, chosen))
    }
    if isScored { found.noteScoredTrainset(learned.count) }
    preparation = found
  }
}
