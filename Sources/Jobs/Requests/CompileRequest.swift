import Failures
import JSON
package import LanguageModels
package import Schema

package struct CompileRequest: SchemaObject {
  package static let members: [Member<Self>] =
    [
      .program(\.program, "What to optimize."),
      .module(\.module),
      Member("optimizer", \.optimizer, "How to search; auto by default."),
      Member("trainset", \.trainset, isRequired: true, "Rows to learn from."),
      Member("valset", \.valset, "Rows to score candidates on; by default a part of the trainset."),
      Member(
        "testset", \.testset,
        "Rows that the search never sees: at its end the student and the best program are scored on them once."),
      .metric(\.metric),
      Member("lm", \.lm, "The model the program runs on; $HONE_LM by default."),
      Member("promptModel", \.promptModel, "The model that writes instructions; lm by default."),
      Member("teacher", \.teacher, "The model that demos are bootstrapped with; lm by default."),
      .adapter(\.adapter),
      .vectorizer(\.vectorizer),
    ] + Member.of(\.data) + Member.of(\.tracking) + [
      .autolog(\.autolog),
      .budget(\.budget),
      .concurrency(\.concurrency),
      Member("seed", \.seed, "The seed of the search, for optimizers that use random numbers."),
      Member(
        "maxErrors", \.maxErrors, in: 0...Int.max,
        "How many examples of one evaluation may fail before the search is paused; no limit by default."),
      Member(
        "estimate", \.estimate,
        "Estimate calls, tokens, cost and seconds by phase and role, each from min to max, without calling a model."),
      .detach(\.detach),
    ]
  package var program: Stated<ProgramShape>?
  package var module: String?
  package var optimizer: Stated<OptimizerShape>?
  package var trainset: Stated<DatasetShape>?
  package var valset: Stated<DatasetShape>?
  package var testset: Stated<DatasetShape>?
  package var data = DataTerms()
  package var metric: Stated<MetricShape>?
  package var lm: ModelConfiguration?
  package var promptModel: ModelConfiguration?
  package var teacher: ModelConfiguration?
  package var adapter: AdapterChoice?
  package var vectorizer: ModelConfiguration?
  package var tracking = RunSetup()
  package var autolog = Autolog()
  package var budget: Budget.Limits?
  package var concurrency = 8
  package var seed: Int?
  package var maxErrors: Int?
  package var estimate: OrFlag<CompileEstimate.Terms>?
  package var detach = false

  package init() {}

  package mutating func settle(_ fields: FieldReader) { tracking.settle(fields) }
}
