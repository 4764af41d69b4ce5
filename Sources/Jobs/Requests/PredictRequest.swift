import Failures
package import JSON
package import LanguageModels
package import Schema

package struct PredictRequest: SchemaObject {
  package static let members: [Member<Self>] = [
    Member("program", \.program, "What to run; or programId."),
    .programID(\.programId),
    .module(\.module),
    Member("executionId", \.executionId, "During program/forward: the execution that the call belongs to."),
    Member("predictor", \.predictor, "During program/forward: which predictor of the program to run."),
    Member("inputs", \.inputs, isRequired: true, "A value for each input field."),
    Member("lm", \.lm, "The model. By default the run's own for a program of a run, else $HONE_LM."),
    Member(
      "adapter", \.adapter, "The form of prompt and reply. By default the one the program was made with, else chat."),
    .vectorizer(\.vectorizer),
    Member("experiment", \.experiment, "Where the trace is kept."),
    .autolog(\.autolog),
    .budget(\.budget),
  ]
  package var program: Stated<ProgramShape>?
  package var programId: String?
  package var module: String?
  package var executionId: String?
  package var predictor: String?
  package var inputs: JSONObject = [:]
  package var lm: ModelConfiguration?
  package var adapter: AdapterChoice?
  package var vectorizer: ModelConfiguration?
  package var experiment = "Default"
  package var autolog = Autolog()
  package var budget: Budget.Limits?

  package init() {}

  package mutating func settle(_ fields: FieldReader) {
    if predictor != nil, executionId == nil {
      fields.problems.add("executionId", "A predictor is named together with the execution it is called in.")
    }
    if executionId != nil, predictor == nil {
      fields.problems.add("predictor", "This member is required (a string).")
    }
  }
}
