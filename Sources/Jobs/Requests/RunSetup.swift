import Failures
import JSON
package import Schema
package import Tracking

/// Under which experiment and name a run is tracked.
package struct RunSetup: SchemaObject {
  package static let members: [Member<Self>] = [
    Member("experiment", \.experiment, "The experiment's name; it is made if there is none."),
    Member("runName", \.runName, "The run's name; made up by default."),
    Member("tags", \.tags, "Tags of the run."),
  ]
  package var experiment = "Default"
  package var runName: String?
  package var tags: [String: String] = [:]

  package init() {}

  package var tagValues: [KeyValue] { tags.sorted { $0.key < $1.key }.map { KeyValue($0.key, $0.value) } }

  package mutating func settle(_ fields: FieldReader) {
    if experiment.isEmpty { fields.problems.add("experiment", "An experiment's name is not empty.") }
  }
}
