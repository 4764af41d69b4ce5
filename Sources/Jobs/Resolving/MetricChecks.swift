import Datasets
import Evaluation
import Failures
import JSON
import Programs
import Schema

extension RequestResolver {
  /// Notes fields that the metric's options name and the program's outputs or the rows do not have: found at the first
  /// row otherwise, after a model was asked.
  func checkMetricFields(_ program: Program?, rows: Dataset?) {
    guard let options = fields.object["metric"]?.objectValue, options["name"] != nil else { return }
    if let field = options["field"]?.stringValue, let outputs = program?.module.outputs.map(\.name),
      !outputs.contains(field)
    {
      problems.add(
        Problem(
          path: "metric.field", message: "The program has no output \"\(field)\".", got: field, allowed: outputs,
          suggestion: nearest(to: field, among: outputs)))
    }
    for key in ["expectedField", "expected_field"] {
      guard let field = options[key]?.stringValue, let rows, !rows.rows.contains(where: { $0[field] != nil }) else {
        continue
      }
      let columns = rows.rows.first?.keys ?? []
      problems.add(
        Problem(
          path: "metric.\(key)", message: "No row has a member \"\(field)\".", got: field, allowed: columns,
          suggestion: nearest(to: field, among: columns)))
    }
  }
}
