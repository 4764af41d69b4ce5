package import Failures
package import JSON

/// Collects everything wrong with an input, so that a caller hears of all problems at once.
package final class ProblemList {
  package private(set) var problems: [Problem] = []
  /// The same, each once: two readings of one value find the same.
  package var distinct: [Problem] {
    var seen: Set<Problem> = []
    return problems.filter { seen.insert($0).inserted }
  }
  package init() {}
  package var isEmpty: Bool { problems.isEmpty }
  package func add(_ problem: Problem) { problems.append(problem) }

  package func add(_ path: String, _ message: String) { add(Problem(path: path, message: message)) }

  /// Throws `invalidParams` with all problems, if there are any.
  package func check(_ what: String) throws(HoneError) {
    let problems = distinct
    guard let first = problems.first else { return }
    let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
    throw HoneError(.invalidParams, "\(what): \(first)\(more)", problems: problems)
  }

  /// Notes that the value is none of a closed set of words.
  package func notAmong(_ allowed: [String], at place: String, got value: JSONValue) {
    add(
      Problem(
        path: place, message: "Expected one of \(allowed.joined(separator: ", ")), got \(value.excerpt).",
        got: value.excerpt, allowed: allowed,
        suggestion: value.stringValue.flatMap { nearest(to: $0, among: allowed) }))
  }

  /// Notes that something else was expected.
  package func expected(_ what: String, at place: String, got value: JSONValue) {
    add(
      Problem(
        path: place, message: "Expected \(what), got \(value.kindName) \(value.excerpt).", got: value.excerpt))
  }
}
