import Schema

/// Settings that several optimizers have, with DSPy's names; they mean the same in each.
extension Member where Owner: Optimizer {
  static func metricThreshold(_ path: MemberPath<Owner, Double?>) -> Self {
    Member(
      "metric_threshold", path,
      "The score from which an execution is good enough to be a demo; null means any score but 0.")
  }

  static func maxBootstrappedDemos(_ path: MemberPath<Owner, Int>, atLeast least: Int = 0) -> Self {
    Member(
      "max_bootstrapped_demos", path, in: least...1000,
      "How many demos, at most, come from executions that the metric accepted.")
  }

  static func maxLabeledDemos(_ path: MemberPath<Owner, Int>) -> Self {
    Member(
      "max_labeled_demos", path, in: 0...10_000, "How many demos, at most, are rows of the trainset as they are.")
  }

  static func maxRounds(_ path: MemberPath<Owner, Int>) -> Self {
    Member("max_rounds", path, in: 1...100, "How often a row is tried, each time with fresh answers.")
  }

  static func maxErrors(_ path: MemberPath<Owner, Int>) -> Self {
    Member("max_errors", path, in: 0...Int.max, "How many rows may fail before the search stops.")
  }

  static func seed(_ path: MemberPath<Owner, Int>) -> Self {
    Member("seed", path, "The seed of everything random; the same seed and answers give the same search.")
  }

  static func validation(_ path: MemberPath<Owner, Validation>) -> Self {
    Member(
      "validation", path,
      "Whether every candidate is scored on all rows (full), or only as long as it may still be the best (race).")
  }
}

/// How candidates are compared.
package enum Validation: String, SchemaChoice { case full, race }
