import Datasets
import Evaluation
import JSON
import Programs
import RowStorage

/// Reads what the rows of a data set call right as values of the types of the program's outputs, so that metrics compare
/// like with like, and demos show what the model is to write.
struct GoldReading {
  /// The type in which each member of a row is read.
  private let types: [String: FieldType]

  init(_ program: Program, _ metric: (any Metric)?) {
    var types: [String: FieldType] = [:]
    let outputs = program.module.outputs
    for output in outputs where types[output.name] == nil { types[output.name] = output.type }
    if let fields = metric?.comparedFields, let renamed = fields.renamed(among: outputs.map(\.name)),
      let type = types[renamed.output]
    {
      types[renamed.label] = type
    }
    for input in program.module.inputs { types[input.name] = nil }
    self.types = types.filter(\.value.readsGold)
  }

  /// What a metric of the client's own makes of rows that stand in its request, it does alone: only files are read here.
  static func applies(to dataset: Dataset, _ metric: (any Metric)?) -> Bool {
    metric is ClientMetric ? dataset.source.type == "local" : true
  }

  /// The data set with what could be read, and a sentence for each member in which something could not.
  func read(_ dataset: Dataset, _ name: String) -> (dataset: Dataset, warnings: [String]) {
    if types.isEmpty { return (dataset, []) }
    var isChanged = false
    var wrong: [String: [(row: Int, value: JSONValue)]] = [:]
    var counts: [String: Int] = [:]
    for (index, row) in dataset.rows.enumerated() {
      for (member, type) in types {
        guard let value = row[member] else { continue }
        if let gold = type.gold(value) {
          if gold != value { isChanged = true }
        } else {
          counts[member, default: 0] += 1
          if counts[member, default: 0] <= Self.named { wrong[member, default: []].append((index, value)) }
        }
      }
    }
    let warnings = counts.keys.sorted().map { member in
      let (count, first) = (counts[member] ?? 0, wrong[member] ?? [])
      let named = first.map { "\(name)[\($0.row)]: \($0.value.excerpt)" }.joined(separator: ", ")
      let more = count > first.count ? " and \(count - first.count) more" : ""
      let type = types[member]?.description ?? ""
      return
        "\(count) \(count == 1 ? "row has" : "rows have") a \"\(member)\" that is no \(type) and is "
        + "compared as it stands: \(named)\(more)."
    }
    guard isChanged else { return (dataset, warnings) }
    let rows = dataset.rows.changing { [types] row in
      var row = row
      for (member, type) in types { if let value = row[member], let gold = type.gold(value) { row[member] = gold } }
      return row
    }
    return (dataset.with(rows), warnings)
  }

  /// How many rows a warning names.
  private static let named = 5
}

extension RequestResolver {
  /// The data set with its right values read as the program's types; what could not be read is told.
  func readingGold(
    _ dataset: Dataset?, _ name: String, _ program: Program?, _ metric: (any Metric)?, _ warnings: inout [String]
  ) -> Dataset? {
    guard let dataset, let program, GoldReading.applies(to: dataset, metric) else { return dataset }
    let read = GoldReading(program, metric).read(dataset, name)
    warnings += read.warnings
    return read.dataset
  }
}
