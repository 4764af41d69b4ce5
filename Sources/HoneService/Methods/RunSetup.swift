import Failures
import JSON
import Schema
import Tracking

/// Under which experiment and name a run is tracked.
struct RunSetup {
  var experiment: String
  var runName: String?
  var tags: [KeyValue]

  init(_ fields: FieldReader) {
    experiment = fields.string("experiment") ?? "Default"
    if experiment.isEmpty { fields.problems.add("experiment", "An experiment's name is not empty.") }
    runName = fields.string("runName", "run_name")
    tags = []
    for (key, value) in fields.object("tags") ?? [:] {
      guard let text = value.stringValue else {
        fields.problems.add("tags.\(key)", "A tag's value is a string, got \(value.kindName).")
        continue
      }
      tags.append(KeyValue(key, text))
    }
  }
}
