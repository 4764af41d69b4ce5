import Failures
import JSON
import Optimizers
import Programs
import Schema
import Tracking

extension RequestResolver {
  /// The optimizer with what it needs of earlier runs: an ensemble's candidates are the programs that a search scored.
  func lookingUp(_ optimizer: (any Optimizer)?, for student: Program?) async throws(HoneError) -> (any Optimizer)? {
    guard var ensemble = optimizer as? Ensemble else { return optimizer }
    let place = fields.place("optimizer")
    do throws(HoneError) {
      ensemble.candidates = try await candidates(ofRun: ensemble.run)
    } catch {
      guard error.kind == .notFound else { throw error }
      problems.add("\(place).run", error.message)
      return nil
    }
    if let student { ensemble.check(student, at: place, problems: problems) }
    return ensemble
  }

  /// The programs whose evaluations a search finished, in their order, with what each answered and scored on each row. The
  /// testset's are not among them: nothing is chosen by it.
  private func candidates(ofRun id: String) async throws(HoneError) -> [Ensemble.Candidate] {
    let store = try await workspace.store()
    _ = try await store.run(id)
    var candidates: [Ensemble.Candidate] = []
    // Many evaluations begin at once: their places tell the order.
    let children = try await store.children(of: id).map { child in
      (place: child.tags.value(of: HoneTag.trial).flatMap { Int($0) } ?? .max, run: child)
    }
    for (_, child) in children.sorted(by: { ($0.place, $0.run.info.id) < ($1.place, $1.run.info.id) }) {
      guard child.info.status == .finished, !child.info.name.hasPrefix(CompileJob.testEvaluation),
        child.tags.value(of: HoneTag.evaluation) != nil
      else { continue }
      let model = try await store.readArtifact(run: child.info.id, path: "model.json")
      guard let state = try? JSONReader.read(model.bytes),
        let program = try? StateFile.decode(state, module: nil, source: child.info.name).program
      else { continue }
      var rows: [Int: Ensemble.Candidate.Row] = [:]
      var last = -1
      while true {
        let page = try await store.results(run: child.info.id, after: last, limit: 1000)
        for row in page { rows[row.index] = Ensemble.Candidate.Row(score: row.score ?? 0, outputs: row.outputs) }
        guard let end = page.last?.index else { break }
        last = end
      }
      candidates.append(Ensemble.Candidate(program, rows: rows))
    }
    return candidates
  }
}
