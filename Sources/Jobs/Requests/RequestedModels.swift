import JSON
package import LanguageModels
package import Schema

/// The language models that a request names, a judge's included.
package struct RequestedModels: ForeignRecord {
  package static let members: [Member<Self>] = [
    Member("lm", \.lm), Member("promptModel", \.promptModel), Member("teacher", \.teacher),
    Member("vectorizer", \.vectorizer), Member("metric", \.metric),
  ]
  private var lm: JSONValue?
  private var promptModel: JSONValue?
  private var teacher: JSONValue?
  private var vectorizer: JSONValue?
  private var metric = Metric()

  package init() {}

  /// Those that can be read.
  package var configurations: [ModelConfiguration] {
    [lm, promptModel, teacher, vectorizer, metric.judge.lm].compactMap { value in
      value.flatMap { ModelConfiguration($0, path: "lm", problems: ProblemList()) }
    }
  }

  private struct Metric: ForeignRecord {
    static let members: [Member<Self>] = [Member("judge", \.judge)]
    var judge = Judge()
  }

  private struct Judge: ForeignRecord {
    static let members: [Member<Self>] = [Member("lm", \.lm)]
    var lm: JSONValue?
  }
}
