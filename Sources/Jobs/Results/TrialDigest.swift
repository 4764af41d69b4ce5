import Evaluation

/// The trials of a search that a report tells, where there are more than anybody reads: the first, those that were kept,
/// the best and the last ones.
package struct TrialDigest {
  /// So many are told whole.
  package static let most = 40
  private static let last = 10

  package private(set) var shown: [TrialResult]
  private let leftOut: [TrialResult]

  package init(_ trials: [TrialResult], bestRunID: String?, isWhole: Bool) {
    guard trials.count > Self.most, !isWhole else {
      (shown, leftOut) = (trials, [])
      return
    }
    var best: Double?
    var kept: [Int] = []
    for (place, trial) in trials.enumerated() {
      let isBetter = trial.bestSoFar.map { $0 > best ?? -.infinity } ?? false
      best = trial.bestSoFar ?? best
      if trial.candidate?.verdict == .kept || isBetter { kept.append(place) }
    }
    // Even of those there may be too many.
    var places = Set(kept.suffix(Self.most - Self.last - 2) + trials.indices.suffix(Self.last) + [0])
    if let bestRunID, let place = trials.firstIndex(where: { $0.runID == bestRunID }) { places.insert(place) }
    shown = places.sorted().map { trials[$0] }
    leftOut = trials.indices.filter { !places.contains($0) }.map { trials[$0] }
  }

  /// How many are left out, by what became of them; nil where none is.
  package var note: String? {
    guard !leftOut.isEmpty else { return nil }
    let kinds: [(CandidateNote.Verdict, String)] = [(.kept, "kept"), (.dropped, "dropped"), (.probe, "probes")]
    let counts = kinds.compactMap { verdict, word -> String? in
      let count = leftOut.count { $0.candidate?.verdict == verdict }
      return count == 0 ? nil : "\(count) \(word)"
    }
    let parts = counts.isEmpty ? "" : " (\(counts.joined(separator: ", ")))"
    return "\(leftOut.count) more trials\(parts) are not shown; --all-trials shows them"
  }
}
