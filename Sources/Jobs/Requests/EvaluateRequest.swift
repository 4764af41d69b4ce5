import Failures
import JSON
package import LanguageModels
package import Schema

package struct EvaluateRequest: SchemaObject {
  package static let members: [Member<Self>] =
    [
      .program(\.program, "What to score."),
      .module(\.module),
      Member("devset", \.devset, isRequired: true, "The examples."),
      .metric(\.metric),
      Member("lm", \.lm, "The model. By default the run's own for a program of a run, else $HONE_LM."),
      .adapter(\.adapter),
      .vectorizer(\.vectorizer),
    ] + Member.of(\.data) + Member.of(\.tracking) + [
      .autolog(\.autolog),
      .budget(\.budget),
      .concurrency(\.concurrency),
      Member(
        "maxErrors", \.maxErrors, in: 0...Int.max,
        "How many examples may fail before the evaluation is paused; no limit by default."),
      .detach(\.detach),
      Member("maxResults", \.maxResults, in: 0...100_000, "How many examples the result lists. All are in the run."),
    ]
  package var program: Stated<ProgramShape>?
  package var module: String?
  package var devset: Stated<DatasetShape>?
  package var data = DataTerms()
  package var metric: Stated<MetricShape>?
  package var lm: ModelConfiguration?
  package var adapter: AdapterChoice?
  package var vectorizer: ModelConfiguration?
  package var tracking = RunSetup()
  package var autolog = Autolog()
  package var budget: Budget.Limits?
  package var concurrency = 8
  package var maxErrors: Int?
  package var detach = false
  package var maxResults = 1000

  package init() {}

  package mutating func settle(_ fields: FieldReader) { tracking.settle(fields) }
}
