/// Attributes in which MLflow keeps what are fields of a span here.
package enum SpanKey {
  package static let request = "mlflow.traceRequestId"
  package static let type = "mlflow.spanType"
  package static let inputs = "mlflow.spanInputs"
  package static let outputs = "mlflow.spanOutputs"
  package static let all = [request, type, inputs, outputs]
}
