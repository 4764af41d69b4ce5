import Failures
import GRDB

/// What runs can be filtered and sorted by. In SQL a run is `r`.
struct RunFields: FilterFields {
  private static let metrics = ["metric", "metrics"]
  private static let params = ["param", "params", "parameter", "parameters"]
  private static let tags = ["tag", "tags"]
  private static let attributes = ["attribute", "attributes", "attr", "run"]
  private static let datasets = ["dataset", "datasets"]
  private static let entities = ["metrics", "params", "tags", "attributes", "datasets"]
  private static let attributeNames = [
    "run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time", "created", "duration",
    "parent_run_id",
  ]
  private static let artifactURI: SQL = "('mlflow-artifacts:/' || r.experiment || '/' || r.id || '/artifacts')"

  func target(_ field: FilterField, source: String) throws(HoneError) -> FilterTarget {
    guard let entity = field.entity?.lowercased() else { return try attribute(field, source) }
    let key = field.key
    if Self.metrics.contains(entity) {
      return FilterTarget(
        name: "The metric \"\(shortened(key))\"", kind: .number, expression: "m.value",
        scope: { "EXISTS (SELECT 1 FROM latest_metrics m WHERE m.run = r.seq AND m.key = \(key) AND " + $0 + ")" },
        isKeyed: true, operators: FilterTarget.numberOperators)
    }
    if Self.params.contains(entity) {
      return FilterTarget(
        name: "The parameter \"\(shortened(key))\"", kind: .text, expression: "p.value",
        scope: { "EXISTS (SELECT 1 FROM params p WHERE p.run = r.seq AND p.key = \(key) AND " + $0 + ")" },
        isKeyed: true, operators: FilterTarget.textOperators)
    }
    if Self.tags.contains(entity) {
      return FilterTarget(
        name: "The tag \"\(shortened(key))\"", kind: .text, expression: "g.value",
        scope: { "EXISTS (SELECT 1 FROM run_tags g WHERE g.run = r.seq AND g.key = \(key) AND " + $0 + ")" },
        isKeyed: true, operators: FilterTarget.textOperators)
    }
    if Self.attributes.contains(entity) { return try attribute(field, source) }
    if Self.datasets.contains(entity) { return try dataset(field, source) }
    // A key with a dot may have been meant as a whole (`mlflow.runName = …`).
    throw syntaxError(
      source, at: field.position, "There is no kind of field \"\(shortened(entity))\".", got: entity,
      allowed: Self.entities)
  }

  private func attribute(_ field: FilterField, _ source: String) throws(HoneError) -> FilterTarget {
    switch field.key.lowercased() {
    case "run_id": return .text("run_id", "r.id")
    case "run_name", "run name": return .text("run_name", "r.name")
    case "status": return .text("status", "r.status")
    case "user_id": return .text("user_id", "r.user")
    case "artifact_uri": return .text("artifact_uri", Self.artifactURI)
    case "parent_run_id": return .text("parent_run_id", "r.parent")
    case "start_time", "created": return .number(field.key, "r.start_ms")
    case "end_time": return .number("end_time", "r.end_ms")
    case "duration": return .number("duration", "(r.end_ms - r.start_ms)", factor: 1000)
    default:
      throw syntaxError(
        source, at: field.position, "A run has no attribute \"\(shortened(field.key))\".", got: field.key,
        allowed: Self.attributeNames)
    }
  }

  private func dataset(_ field: FilterField, _ source: String) throws(HoneError) -> FilterTarget {
    let column: SQL
    switch field.key.lowercased() {
    case "name": column = "d.name"
    case "digest": column = "d.digest"
    case "context": column = "i.context"
    default:
      throw syntaxError(
        source, at: field.position, "A dataset has no \"\(shortened(field.key))\".", got: field.key,
        allowed: ["name", "digest", "context"])
    }
    return FilterTarget(
      name: "datasets.\(field.key)", kind: .text, expression: column,
      scope: {
        """
        EXISTS (SELECT 1 FROM inputs i JOIN datasets d ON d.id = i.dataset WHERE i.run = r.seq AND \($0))
        """
      }, isKeyed: true, operators: FilterTarget.textOperators)
  }

  func sortKey(_ field: FilterField, source: String) throws(HoneError) -> SQL {
    guard let entity = field.entity?.lowercased(), !Self.attributes.contains(entity) else {
      let target = try attribute(field, source)
      return target.isNumber ? target.expression : Keyset.text(target.expression)
    }
    let key = field.key
    if Self.metrics.contains(entity) {
      return "(SELECT m.value FROM latest_metrics m WHERE m.run = r.seq AND m.key = \(key))"
    }
    if Self.params.contains(entity) {
      return "(SELECT substr(p.value, 1, 200) FROM params p WHERE p.run = r.seq AND p.key = \(key))"
    }
    if Self.tags.contains(entity) {
      return "(SELECT substr(g.value, 1, 200) FROM run_tags g WHERE g.run = r.seq AND g.key = \(key))"
    }
    throw syntaxError(
      source, at: field.position, "There is no sorting by \"\(shortened(field.written))\".", got: entity,
      allowed: Array(Self.entities.dropLast()))
  }

  /// For a metric: 0 where it has a number, 1 where it is NaN, NULL where there is none, so that NaN stands
  /// just before the missing; nil for other fields.
  func rank(_ field: FilterField) -> SQL? {
    guard let entity = field.entity?.lowercased(), Self.metrics.contains(entity) else { return nil }
    return "(SELECT m.value IS NULL FROM latest_metrics m WHERE m.run = r.seq AND m.key = \(field.key))"
  }
}
