import Evaluation
import Failures
import HoneService
import JSON
import Jobs
import Statistics
import Tracking

/// The runs that were made from one program file.
struct FileRuns: Sendable {
  let store: TrackingStore
  let path: String

  /// The filter that finds them.
  static func filter(_ path: String, kind: String? = nil) -> String {
    let quote = path.contains("'") ? "\"" : "'"
    // An imported run may name any file; only those that were made here were made from it.
    let file = "tags.\(HoneTag.file) = \(quote)\(path)\(quote) AND tags.\(ImportMark.tag) IS NULL"
    return kind.map { "\(file) AND tags.\(HoneTag.kind) = '\($0)'" } ?? file
  }

  /// The latest one.
  func last(kind: String? = nil) async throws(HoneError) -> Run? {
    try await store.searchRuns(
      filter: Self.filter(path, kind: kind), orderBy: ["attributes.start_time DESC"], maxResults: 1
    ).items.first
  }

  /// The latest one that is under way, in whichever process.
  func underWay() async throws(HoneError) -> Run? {
    try await store.searchRuns(
      filter: Self.filter(path) + " AND attributes.status = 'RUNNING'", orderBy: ["attributes.start_time DESC"],
      maxResults: 1
    ).items.first
  }

  /// The compile that found the best program.
  func best() async throws(HoneError) -> Run? {
    try await store.searchRuns(
      filter: Self.filter(path, kind: "compile") + " AND metrics.score >= 0", orderBy: ["metrics.score DESC"],
      maxResults: 1
    ).items.first
  }
}

extension Run {
  /// What a run scored: a compile's best program, so far where it is under way, or the program it evaluated.
  var score: Double? { metric("score") ?? metric("eval") ?? metric("best_score") }

  var kind: String { tags.value(of: HoneTag.kind) ?? (info.parentID == nil ? "run" : "candidate") }

  /// The 95 % interval of the score, where the run itself has it.
  var interval: PercentInterval? {
    guard metric("score") == nil, let low = metric("eval_low"), let high = metric("eval_high") else { return nil }
    return PercentInterval(low: low, high: high)
  }

  /// How the work ended, in the words of results.
  var outcome: String { tags.value(of: HoneTag.status) ?? info.status.rawValue }
}

extension TrackingStore {
  /// The interval of a run's score; that of a compile stands with the evaluation of its best program.
  func interval(of run: Run) async -> PercentInterval? {
    if let interval = run.interval { return interval }
    guard let best = run.tags.value(of: HoneTag.bestRun) else { return nil }
    return (try? await self.run(best))?.interval
  }
}
