package import JSON
package import Schema
package import Traces

/// A span as it is sent, with its body or without.
package struct SpanRecord: ResultObject {
  package static let members: [Member<Self>] = [
    Member("id", \.id, isAlwaysWritten: true, "16 hexadecimal digits."),
    Member("parentId", \.parentID, isAlwaysWritten: true, "The span that it is a part of; null for the root."),
    Member("name", \.name, isAlwaysWritten: true, "What was done."),
    Member("type", \.type, isAlwaysWritten: true, "What it stands for, in MLflow's words."),
    Member("startTimeNs", \.startTimeNs, isAlwaysWritten: true, "When it began, in nanoseconds since 1970."),
    Member("endTimeNs", \.endTimeNs, isAlwaysWritten: true, "When it ended."),
    Member("inputs", \.inputs, "What went in; of a span with its body."),
    Member("outputs", \.outputs, "What came out."),
    Member("attributes", \.attributes, "Facts about it."),
    Member("events", \.events, "What happened at one moment of it."),
    Member("status", \.status, isAlwaysWritten: true, "OK, ERROR or IN_PROGRESS."),
    Member("statusMessage", \.statusMessage, "What failed."),
  ]

  package struct Event: ResultObject {
    package static let members: [Member<Self>] = [
      Member("name", \.name, isAlwaysWritten: true, "What happened."),
      Member("timeNs", \.timeNs, isAlwaysWritten: true, "When, in nanoseconds since 1970."),
      Member("attributes", \.attributes, isAlwaysWritten: true, "Facts about it."),
    ]
    package var name = ""
    package var timeNs = 0
    package var attributes: JSONObject = [:]

    package init() {}
  }

  package var id = ""
  package var parentID: String?
  package var name = ""
  package var type = ""
  package var startTimeNs = 0
  package var endTimeNs = 0
  package var inputs = JSONValue.null
  package var outputs = JSONValue.null
  /// Whether inputs and outputs are written, also where they are null.
  private var hasBody = false
  package var attributes: JSONObject?
  package var events: [Event]?
  package var status = ""
  package var statusMessage: String?

  package init() {}

  /// - Parameter hasBody: whether inputs, outputs, attributes and events come along. Without, a model's call keeps its
  ///   tokens and cost.
  package init(_ span: Span, hasBody: Bool = true) {
    id = span.id.description
    parentID = span.parent?.description
    name = span.name
    type = span.kind.rawValue
    startTimeNs = span.start
    endTimeNs = span.end
    status = span.status.word
    guard hasBody else {
      attributes = span.attributes.isEmpty ? nil : span.attributes
      return
    }
    self.hasBody = true
    inputs = span.inputs.json ?? .null
    outputs = span.outputs.json ?? .null
    attributes = span.attributes
    events = span.events.map { event in
      var record = Event()
      record.name = event.name
      record.timeNs = event.time
      record.attributes = event.attributes
      return record
    }
    statusMessage = span.status.message
  }

  package mutating func settle(_ fields: FieldReader) { hasBody = fields.gives("inputs") }

  package var jsonValue: JSONValue {
    guard hasBody else { return .object(given) }
    return .object(
      JSONObject(
        Self.members.compactMap { member in
          let value = member.write(self)
          return ["inputs", "outputs"].contains(member.name) || !value.isNull || member.isAlwaysWritten
            ? (member.name, value) : nil
        }))
  }
}
