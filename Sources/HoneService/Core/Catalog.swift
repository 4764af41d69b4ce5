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
            Schema(.object(ModuleMembers.fields.filter { !Self.ofHosts.contains($0.name) })),
            Schema(.named("HostProgram")), Schema(.named("ProgramReference")),
          ]),
          "A signature's text; an object with module and signature, or steps, or host and predictors; or a reference.")
      ),
      ("HostProgram", Schema(.object(Self.hostFields), "A program whose control flow the client runs.")),
      ("ProgramReference", Schema(.object(LoadProgramRequest.fields), "A program that is kept somewhere.")),
      ("Optimizer", optimizers.schema),
      (
        "Metric",
        Schema(
          .either([
            metrics.schema, ClientMetricRequest.schema,
            Schema(
              .object([
                Schema.Field(
                  "judge", Schema(.named("Judge")), isRequired: true, "A program that scores, asked with a model.")
              ])),
          ]), "A metric's name, an object with name and its options, a function of the client's, or a judge.")
      ),
      ("Judge", JudgeRequest.schema),
      ("Dataset", Schema(.either([Schema(.array(.anyObject)), DatasetRequest.schema]), DatasetRequest.summary)),
      ("LanguageModel", ModelConfiguration.shape),
      ("Autolog", Schema(.object(Autolog.fields))),
      ("Budget", Budget.Limits.shape), ("Replies", ReplyCounts.schema), ("AdapterDecision", AdapterDecision.schema),
      ("Usage", UsageReport.shape), ("Interval", PercentInterval.shape), ("Comparison", PairedComparison.schema),
      ("Trial", TrialResult.schema), ("ExampleResult", ExampleResult.schema), ("Run", RunRecord.schema),
      ("TraceInfo", TraceRecord.schema), ("Span", SpanRecord.schema),
    ]
  }

  private static let ofHosts = ["host", "predictors", "description", "timeout"]
  private static let hostFields = ModuleMembers.fields.filter { (ofHosts + ["signature", "inputs"]).contains($0.name) }
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
