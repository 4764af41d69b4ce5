import Datasets
package import Evaluation
import JSON
import Jobs
import LanguageModels
package import Optimizers
import Programs
package import Schema
import Statistics
import Tracking

/// What a service knows by name: its methods, optimizers and metrics. More of them can be added to it; documents,
/// completion and help then have them too.
package struct Catalog: Sendable {
  package var methods = MethodTable.methods
  package var optimizers = OptimizerRegistry.all
  package var metrics = MetricRegistry.all

  package init() {}

  package func method(named name: String) -> Method? { methods.first { $0.name == name } }

  /// The shapes that requests refer to by name, as descriptions.
  package var shapes: [(name: String, schema: Schema)] {
    [
      (
        "Program",
        Schema(
          .either([
            Self.text("question -> answer"),
            Schema(.object(ProgramMembers.fields.filter { !Self.ofHosts.contains($0.name) })),
            Schema(.named("HostProgram")), Schema(.named("ProgramReference")),
          ]),
          "A signature's text; an object with module and signature, or steps, or host and predictors; or a reference.")
      ),
      ("HostProgram", Schema(.object(Self.hostFields), "A program whose control flow the client runs.")),
      ("ProgramReference", Schema(.object(ProgramReference.fields), "A program that is kept somewhere.")),
      ("Optimizer", optimizers.schema),
      (
        "Metric",
        Schema(
          .either([
            metrics.schema, ClientMetricRequest.schema, JudgeMetricRequest.schema,
          ]), "A metric's name, an object with name and its options, a function of the client's, or a judge.")
      ),
      ("Judge", JudgeRequest.schema),
      (
        "Dataset",
        Schema(.either([Schema(.array(.anyObject)), DatasetRequest.schema, Schema(.string)]), DatasetRequest.summary)
      ),
      ("LanguageModel", ModelConfiguration.shape),
      ("Autolog", Schema(.object(Autolog.fields))),
      ("Budget", Budget.Limits.shape), ("Replies", ReplyCounts.schema), ("AdapterDecision", AdapterDecision.schema),
      ("Usage", UsageReport.shape), ("Interval", PercentInterval.shape), ("Comparison", PairedComparison.schema),
      ("Trial", TrialResult.schema), ("Candidate", CandidateNote.schema), ("ExampleResult", ExampleResult.schema),
      ("Run", RunRecord.schema),
      ("TraceInfo", TraceRecord.schema), ("Span", SpanRecord.schema), ("Tool", ToolMembers.schema),
      (
        "Signature",
        Schema(
          .either([Self.text("question -> answer"), SignatureMembers.schema]),
          "\"in1, in2: type -> out\", or its fields one by one.")
      ),
      ("MetricAnswer", MetricAnswer.shape), ("CompletionAnswer", CompletionAnswer.shape),
      ("TokenCount", CompletionAnswer.TokenCount.schema), ("ChatMessage", ChatMessageRecord.schema),
      ("ProposalAnswer", ProposalAnswer.shape), ("ProposalRow", ProposalRow.schema),
      ("PredictorStep", StepRecord.schema), ("ServedCallbacks", CallbackList.schema),
      ("Progress", ProgressNotice.schema),
      ("State", Schema(.map(Schema(.any)), "A program's state in the JSON that DSPy's save() writes.")),
    ]
  }

  private static let ofHosts = ["host", "predictors", "description", "timeout"]
  private static let hostFields = ProgramMembers.fields.filter {
    (ofHosts + ["signature", "inputs"]).contains($0.name)
  }
  .map { field in
    var field = field
    field.isRequired = ["host", "predictors"].contains(field.name)
    return field
  }

  private static func text(_ example: String) -> Schema {
    var schema = Schema(.string)
    schema.examples = [.string(example)]
    return schema
  }
}
