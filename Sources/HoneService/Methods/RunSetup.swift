import Failures
import JSON
import Schema
import Tracking

/// Under which experiment and name a run is tracked.
struct RunSetup: SchemaObject {
  static let members: [Member<Self>] = [
    Member("experiment", \.experiment, "The experiment's name; it is made if there is none."),
    Member("runName", \.runName, "The run's name; one is made up unless said."),
    Member("tags", \.tags, "Tags of the run."),
  ]
  var experiment = "Default"
  var runName: String?
  var tags: [String: String] = [:]

  var tagValues: [KeyValue] { tags.sorted { $0.key < $1.key }.map { KeyValue($0.key, $0.value) } }

  mutating func settle(_ fields: FieldReader) {
    if experiment.isEmpty { fields.problems.add("experiment", "An experiment's name is not empty.") }
  }
}
