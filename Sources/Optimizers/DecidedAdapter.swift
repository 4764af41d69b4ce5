import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import RowStorage

extension CompileTask {
  /// Searches with the form decided in which the model is asked: one for all candidates.
  ///
  /// - Parameters:
  ///   - examples: the student with examples as candidates will have them; nil where they have none.
  ///   - keepsStudent: whether the student is a candidate, too.
  ///   - rows: the rows that candidates are scored on; none leaves the form open.
  func withAdapter(
    examples: Program?, keepsStudent: Bool = false, rows: Rows, search: (CompileTask) async -> SearchResult
  ) async -> SearchResult {
    do throws(HoneError) {
      return await search(try await deciding(examples: examples, keepsStudent: keepsStudent, rows: rows))
    } catch {
      return SearchResult(program: student, stopped: Callbacks.causeOf(error, session.callbacks?.peer))
    }
  }

  private func deciding(
    examples: Program?, keepsStudent: Bool, rows: Rows
  ) async throws(HoneError) -> CompileTask {
    // A chain decides once, for all its steps.
    guard chain == nil else { return self }
    let trial = AdapterTrial(session: session, model: taskModel, metric: metric)
    guard
      let decision = try await trial.decide(
        student, examples: examples == student ? nil : examples, keepsStudent: keepsStudent, rows: rows)
    else { return self }
    await session.events.emit(.adapterDecided(decision))
    if decision.isHopeless { throw decision.unreadable(taskModel.configuration) }
    var task = self
    task.student.adapter = decision.format
    task.teacher?.adapter = decision.format
    task.adapterCalls = max(1, student.predictors.count) * decision.tries.reduce(0) { $0 + $1.rows }
    return task
  }

  /// The part of a search in which the form is decided.
  func adapterPart(examples: Program?, keepsStudent: Bool = false, rows: Rows) -> PlannedPart? {
    let count = AdapterTrial.mostExecutions(
      student, rows: rows.count, keepsStudent: keepsStudent && examples != nil && examples != student)
    guard count > 0 else { return nil }
    return PlannedPart(
      "adapter", .task, 0...count, shortest: .init(student, rows), longest: .init(examples ?? student, rows))
  }
}
