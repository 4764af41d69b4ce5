import Failures
import GRDB

/// What traces can be filtered and sorted by. In SQL a trace is `t`.
struct TraceFields: FilterFields {
  private static let attributes = ["attribute", "attributes", "attr", "trace"]
  private static let tags = ["tag", "tags"]
  private static let metadata = ["metadata", "request_metadata"]
  private static let entities = ["attributes", "trace", "tags", "metadata", "span", "feedback", "expectation"]
  private static let attributeNames = [
    "status", "name", "run_id", "request_id", "trace_id", "experiment_id", "client_request_id", "timestamp_ms",
    "end_time_ms", "execution_time_ms", "duration", "input_tokens", "output_tokens", "total_tokens", "cost", "request",
    "response", "text",
  ]
  private static let textOperators = FilterTarget.textOperators + [.rlike, .notRlike]
  private static let identity: SQL = "('tr-' || lower(hex(t.id)))"
  private static let status: SQL = "(CASE t.status WHEN 1 THEN 'OK' WHEN 2 THEN 'ERROR' ELSE 'IN_PROGRESS' END)"

  func target(_ field: FilterField, source: String) throws(HoneError) -> FilterTarget {
    guard let entity = field.entity?.lowercased() else { return try attribute(field, source) }
    if Self.attributes.contains(entity) { return try attribute(field, source) }
    if Self.tags.contains(entity) { return tag(field.key) }
    if Self.metadata.contains(entity) { return metadata(field.key) }
    switch entity {
    case "span", "spans": return try span(field, source)
    case "feedback": return assessment(field, kind: .feedback)
    case "expectation": return assessment(field, kind: .expectation)
    default:
      throw syntaxError(
        source, at: field.position, "There is no kind of field \"\(shortened(entity))\".", got: entity,
        allowed: Self.entities)
    }
  }

  private func text(_ name: String, _ expression: SQL) -> FilterTarget {
    .text(name, expression, operators: Self.textOperators)
  }

  private func attribute(_ field: FilterField, _ source: String) throws(HoneError) -> FilterTarget {
    switch field.key.lowercased() {
    case "status", "state": return text("status", Self.status)
    case "name": return text("name", "t.name")
    case "run_id": return text("run_id", "t.run_id")
    case "request_id", "trace_id": return text(field.key, Self.identity)
    case "experiment_id": return text("experiment_id", "CAST(t.experiment AS TEXT)")
    case "client_request_id": return metadata("client_request_id")
    case "timestamp", "timestamp_ms": return .number(field.key, "(t.start_ns / 1000000)")
    case "end_time", "end_time_ms": return .number(field.key, "((t.start_ns + t.duration_ns) / 1000000)")
    case "execution_time", "execution_time_ms": return .number(field.key, "(t.duration_ns / 1e6)")
    case "duration": return .number("duration", "(t.duration_ns / 1e9)")
    case "input_tokens": return .number("input_tokens", "t.input_tokens")
    case "output_tokens": return .number("output_tokens", "t.output_tokens")
    case "total_tokens", "tokens", "token_usage":
      return .number(field.key, "(t.input_tokens + t.output_tokens)")
    case "cost": return .number("cost", "t.cost")
    case "request", "inputs": return text(field.key, "t.request")
    case "response", "outputs": return text(field.key, "t.response")
    case "text": return content("trace.text")
    // Traces carry no registered prompt's name: none matches.
    case "prompt": return tag("mlflow.linkedPrompts")
    default:
      throw syntaxError(
        source, at: field.position, "A trace has no attribute \"\(shortened(field.key))\".", got: field.key,
        allowed: Self.attributeNames)
    }
  }

  private func tag(_ key: String) -> FilterTarget {
    // The trace's name is a tag in MLflow's eyes.
    if key == "mlflow.traceName" { return text("The tag \"\(key)\"", "t.name") }
    return FilterTarget(
      name: "The tag \"\(shortened(key))\"", kind: .text, expression: "g.value",
      scope: { "EXISTS (SELECT 1 FROM trace_tags g WHERE g.trace = t.seq AND g.key = \(key) AND " + $0 + ")" },
      isKeyed: true, operators: Self.textOperators)
  }

  private func metadata(_ key: String) -> FilterTarget {
    if key == "mlflow.sourceRun" { return text("The metadata \"\(key)\"", "t.run_id") }
    return FilterTarget(
      name: "The metadata \"\(shortened(key))\"", kind: .text, expression: "CAST(j.value AS TEXT)",
      scope: { "EXISTS (SELECT 1 FROM json_each(t.metadata) j WHERE j.key = \(key) AND " + $0 + ")" },
      isKeyed: true, operators: Self.textOperators)
  }

  private func assessment(_ field: FilterField, kind: StoredAssessment.Kind) -> FilterTarget {
    let key = field.key
    return FilterTarget(
      name: "The assessment \"\(shortened(key))\"", kind: .feedback,
      // The text of a string, of `true` or `false`, or the JSON of anything else.
      expression: "(CASE json_type(a.value) WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' "
        + "ELSE CAST(a.value ->> '$' AS TEXT) END)",
      scope: {
        """
        EXISTS (SELECT 1 FROM assessments a WHERE a.trace = t.id AND a.valid AND a.kind = \(kind.rawValue)
          AND a.name = \(key) AND \($0))
        """
      }, isKeyed: true, operators: Self.textOperators + FilterOperator.comparisons)
  }

  private func content(_ name: String) -> FilterTarget {
    FilterTarget(
      name: name, kind: .span(.content), expression: "0", isKeyed: true,
      operators: [.like, .notLike, .ilike, .notIlike, .rlike, .notRlike])
  }

  private func span(_ field: FilterField, _ source: String) throws(HoneError) -> FilterTarget {
    let part: SpanPart
    switch field.key.lowercased() {
    case "name": part = .name
    case "type": part = .type
    case "status": part = .status
    case "content": return content("span.content")
    default:
      let prefix = "attributes."
      guard field.key.lowercased().hasPrefix(prefix), field.key.count > prefix.count else {
        throw syntaxError(
          source, at: field.position, "A span has no \"\(shortened(field.key))\".", got: field.key,
          allowed: ["name", "type", "status", "content", "attributes.<key>"])
      }
      part = .attribute(String(field.key.dropFirst(prefix.count)))
    }
    var operators = Self.textOperators
    if part.isAttribute {
      operators += [.greater, .greaterOrEqual, .less, .lessOrEqual]
    } else {
      operators.removeAll { $0 == .isNull || $0 == .isNotNull }
    }
    return FilterTarget(
      name: field.written, kind: .span(part), expression: "0", isKeyed: true, operators: operators)
  }

  private func metadataValue(_ key: String) -> SQL {
    "(SELECT substr(j.value, 1, 200) FROM json_each(t.metadata) j WHERE j.key = \(key))"
  }

  func sortKey(_ field: FilterField, source: String) throws(HoneError) -> SQL {
    let entity = field.entity?.lowercased()
    let key = field.key
    switch entity {
    case nil, "attribute", "attributes", "attr", "trace":
      let target = try attribute(field, source)
      if case .span = target.kind { break }
      if target.isKeyed { return metadataValue(key) }
      return target.isNumber ? target.expression : Keyset.text(target.expression)
    case "tag", "tags":
      return key == "mlflow.traceName"
        ? Keyset.text("t.name")
        : "(SELECT substr(g.value, 1, 200) FROM trace_tags g WHERE g.trace = t.seq AND g.key = \(key))"
    case "metadata", "request_metadata":
      return key == "mlflow.sourceRun" ? Keyset.text("t.run_id") : metadataValue(key)
    case "feedback", "expectation":
      let kind = entity == "feedback" ? StoredAssessment.Kind.feedback : .expectation
      // Numbers as such; false before true; other values by their text.
      return """
        (SELECT ifnull(a.number, CASE json_type(a.value) WHEN 'false' THEN 0 WHEN 'true' THEN 1
            ELSE substr(a.value ->> '$', 1, 200) END)
          FROM assessments a
          WHERE a.trace = t.id AND a.valid AND a.kind = \(kind.rawValue) AND a.name = \(key) ORDER BY a.id DESC LIMIT 1)
        """
    default: break
    }
    throw syntaxError(
      source, at: field.position, "There is no sorting by \"\(shortened(field.written))\".", got: field.written,
      allowed: Self.attributeNames.dropLast() + ["tags.<key>", "metadata.<key>", "feedback.<name>"])
  }
}
