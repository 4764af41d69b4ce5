package import JSON
package import Schema

/// What a metric outside this process answers: a score alone, or with what was right or wrong.
package struct MetricAnswer: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member(
      "score", \.score, isRequired: true,
      as: Schema(.either([Schema(.number(-.infinity ... .infinity)), Bool.schema])),
      "A finite number, 0 to 1 as a rule; or true or false."),
    Member("feedback", \.feedback, as: Schema(.string).orNull, "What was right or wrong, in words that help."),
    Member(
      "objectives", \.objectives,
      "Further scores by name, such as cost or brevity; searches that look at several objectives use them."),
    Member(
      "byPredictor", \.byPredictor,
      "What was right or wrong in single steps: a text for a predictor's name."),
  ]
  package var score = JSONValue.null
  package var feedback = JSONValue.null
  package var objectives: JSONObject = [:]
  package var byPredictor: JSONObject = [:]

  package init() {}

  package static let shape = Schema(
    .either([Schema(.number(-.infinity ... .infinity)), Bool.schema, schema]),
    "What metric/score is answered with: a score, or a score with feedback.")
}
