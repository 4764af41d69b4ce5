// Made by scripts/generate-optimizers from what the optimizers declare; do not edit.

import JSON

extension Optimizer {
  /// Runs the program on the trainset and shows the executions that the metric accepts as demos.
  ///
  /// - Parameters:
  ///   - metricThreshold: The score from which an execution is good enough to be a demo; nil means any score but 0.
  ///   - maxBootstrappedDemos: How many demos, at most, come from executions that the metric accepted.
  ///   - maxLabeledDemos: How many demos, at most, are rows of the trainset as they are.
  ///   - maxRounds: How often a row is tried, each time with fresh answers.
  ///   - maxErrors: How many rows may fail before the search stops.
  public static func bootstrapFewShot(
    metricThreshold: Double? = nil, maxBootstrappedDemos: Int = 4, maxLabeledDemos: Int = 16, maxRounds: Int = 1,
    maxErrors: Int = 10
  ) -> Optimizer {
    var settings = JSONObject()
    if let metricThreshold { settings["metric_threshold"] = .double(metricThreshold) }
    if maxBootstrappedDemos != 4 { settings["max_bootstrapped_demos"] = .int(maxBootstrappedDemos) }
    if maxLabeledDemos != 16 { settings["max_labeled_demos"] = .int(maxLabeledDemos) }
    if maxRounds != 1 { settings["max_rounds"] = .int(maxRounds) }
    if maxErrors != 10 { settings["max_errors"] = .int(maxErrors) }
    return Optimizer("BootstrapFewShot", settings: settings)
  }

  /// Bootstraps many demo sets from shuffled trainsets and keeps the one that scores best on the valset.
  ///
  /// - Parameters:
  ///   - maxBootstrappedDemos: How many demos, at most, come from executions that the metric accepted.
  ///   - maxLabeledDemos: How many demos, at most, are rows of the trainset as they are.
  ///   - maxRounds: How often a row is tried, each time with fresh answers.
  ///   - numCandidatePrograms: How many demo sets are made from shuffled trainsets.
  ///   - maxErrors: How many rows may fail before the search stops.
  ///   - stopAtScore: The score, in percent, at which the search ends.
  ///   - metricThreshold: The score from which an execution is good enough to be a demo; nil means any score but 0.
  public static func bootstrapFewShotWithRandomSearch(
    maxBootstrappedDemos: Int = 4, maxLabeledDemos: Int = 16, maxRounds: Int = 1, numCandidatePrograms: Int = 16,
    maxErrors: Int = 10, stopAtScore: Double? = nil, metricThreshold: Double? = nil
  ) -> Optimizer {
    var settings = JSONObject()
    if maxBootstrappedDemos != 4 { settings["max_bootstrapped_demos"] = .int(maxBootstrappedDemos) }
    if maxLabeledDemos != 16 { settings["max_labeled_demos"] = .int(maxLabeledDemos) }
    if maxRounds != 1 { settings["max_rounds"] = .int(maxRounds) }
    if numCandidatePrograms != 16 { settings["num_candidate_programs"] = .int(numCandidatePrograms) }
    if maxErrors != 10 { settings["max_errors"] = .int(maxErrors) }
    if let stopAtScore { settings["stop_at_score"] = .double(stopAtScore) }
    if let metricThreshold { settings["metric_threshold"] = .double(metricThreshold) }
    return Optimizer("BootstrapFewShotWithRandomSearch", settings: settings)
  }

  /// How their answers become one.
  public enum EnsembleReduce: String, Sendable, CaseIterable {
    case majority
  }

  /// Makes an ensemble of the programs that a finished search scored, chosen by the answers it kept. Asks no model.
  ///
  /// - Parameters:
  ///   - run: The id of a finished compile run, whose candidates are chosen from.
  ///   - size: How many programs vote, at most; fewer where more are right no more often.
  ///   - reduce: How their answers become one.
  ///   - field: The output that is voted on; by default the last one.
  public static func ensemble(
    run: String? = nil, size: Int = 3, reduce: EnsembleReduce = .majority, field: String? = nil
  ) -> Optimizer {
    var settings = JSONObject()
    if let run { settings["run"] = .string(run) }
    if size != 3 { settings["size"] = .int(size) }
    if reduce != .majority { settings["reduce"] = .string(reduce.rawValue) }
    if let field { settings["field"] = .string(field) }
    return Optimizer("Ensemble", settings: settings)
  }

  /// Bootstraps every row of the trainset once; each call is shown the demos of the rows nearest to its inputs.
  ///
  /// - Parameters:
  ///   - k: How many rows each call is shown.
  ///   - kCandidates: Numbers of rows to try in place of k, each in one evaluation of the valset; the best stays, of
  ///     equals the first.
  ///   - metricThreshold: The score from which an execution is good enough to be a demo; nil means any score but 0.
  ///   - maxBootstrappedDemos: How many demos, at most, come from executions that the metric accepted.
  ///   - maxLabeledDemos: How many demos, at most, are rows of the trainset as they are.
  ///   - maxRounds: How often a row is tried, each time with fresh answers.
  ///   - maxErrors: How many rows may fail before the search stops.
  public static func knnFewShot(
    k: Int = 3, kCandidates: [JSONValue]? = nil, metricThreshold: Double? = nil, maxBootstrappedDemos: Int = 4,
    maxLabeledDemos: Int = 16, maxRounds: Int = 1, maxErrors: Int = 10
  ) -> Optimizer {
    var settings = JSONObject()
    if k != 3 { settings["k"] = .int(k) }
    if let kCandidates { settings["k_candidates"] = .array(kCandidates) }
    if let metricThreshold { settings["metric_threshold"] = .double(metricThreshold) }
    if maxBootstrappedDemos != 4 { settings["max_bootstrapped_demos"] = .int(maxBootstrappedDemos) }
    if maxLabeledDemos != 16 { settings["max_labeled_demos"] = .int(maxLabeledDemos) }
    if maxRounds != 1 { settings["max_rounds"] = .int(maxRounds) }
    if maxErrors != 10 { settings["max_errors"] = .int(maxErrors) }
    return Optimizer("KNNFewShot", settings: settings)
  }

  /// Shows rows of the trainset as demos, as they are. Asks no model.
  ///
  /// - Parameters:
  ///   - k: How many demos each predictor gets, at most.
  ///   - sample: Whether the demos are chosen at random; otherwise they are the first rows.
  public static func labeledFewShot(
    k: Int = 16, sample: Bool = true
  ) -> Optimizer {
    var settings = JSONObject()
    if k != 16 { settings["k"] = .int(k) }
    if sample != true { settings["sample"] = .bool(sample) }
    return Optimizer("LabeledFewShot", settings: settings)
  }

  /// The size of the search. Nil lets numCandidates and numTrials decide, as giving them does.
  public enum MIPROv2Auto: String, Sendable, CaseIterable {
    case light
    case medium
    case heavy
  }

  /// Searches instructions and demo sets together: proposes instructions from data and program, bootstraps demos, and
  /// tries combinations under a statistical model of what scores well.
  ///
  /// - Parameters:
  ///   - auto: The size of the search. Nil lets numCandidates and numTrials decide, as giving them does.
  ///   - numCandidates: How many instructions, and how many demo sets, each predictor can choose from.
  ///   - numTrials: How many combinations are tried.
  ///   - maxBootstrappedDemos: How many demos, at most, come from executions that the metric accepted.
  ///   - maxLabeledDemos: How many demos, at most, are rows of the trainset as they are.
  ///   - seed: The seed of everything random; the same seed and answers give the same search.
  ///   - initTemperature: The temperature at which instructions are proposed.
  ///   - metricThreshold: The score from which an execution is good enough to be a demo; nil means any score but 0.
  ///   - maxErrors: How many rows may fail before the search stops.
  ///   - minibatch: Whether trials are scored on a part of the valset, and only the best of them on all of it.
  ///   - minibatchSize: How many rows of the valset a trial is scored on.
  ///   - minibatchFullEvalSteps: After how many trials the best combination so far is scored on the whole valset.
  ///   - programAwareProposer: Whether proposals are made from a description of the program.
  ///   - dataAwareProposer: Whether proposals are made from a summary of the trainset.
  ///   - tipAwareProposer: Whether each proposal is given a hint at a style of its own.
  ///   - fewshotAwareProposer: Whether proposals are made from bootstrapped demos.
  ///   - historyAwareProposer: Whether later proposals are made from the best attempts so far.
  ///   - viewDataBatchSize: How many rows one request of the data summary shows.
  public static func miprov2(
    auto: MIPROv2Auto? = .light, numCandidates: Int? = nil, numTrials: Int? = nil, maxBootstrappedDemos: Int = 4,
    maxLabeledDemos: Int = 4, seed: Int = 9, initTemperature: Double = 1.0, metricThreshold: Double? = nil,
    maxErrors: Int = 10, minibatch: Bool = true, minibatchSize: Int = 35, minibatchFullEvalSteps: Int = 5,
    programAwareProposer: Bool = true, dataAwareProposer: Bool = true, tipAwareProposer: Bool = true,
    fewshotAwareProposer: Bool = true, historyAwareProposer: Bool = true, viewDataBatchSize: Int = 10
  ) -> Optimizer {
    var settings = JSONObject()
    if auto != .light { settings["auto"] = auto.map { .string($0.rawValue) } ?? .null }
    if let numCandidates { settings["num_candidates"] = .int(numCandidates) }
    if let numTrials { settings["num_trials"] = .int(numTrials) }
    if maxBootstrappedDemos != 4 { settings["max_bootstrapped_demos"] = .int(maxBootstrappedDemos) }
    if maxLabeledDemos != 4 { settings["max_labeled_demos"] = .int(maxLabeledDemos) }
    if seed != 9 { settings["seed"] = .int(seed) }
    if initTemperature != 1.0 { settings["init_temperature"] = .double(initTemperature) }
    if let metricThreshold { settings["metric_threshold"] = .double(metricThreshold) }
    if maxErrors != 10 { settings["max_errors"] = .int(maxErrors) }
    if minibatch != true { settings["minibatch"] = .bool(minibatch) }
    if minibatchSize != 35 { settings["minibatch_size"] = .int(minibatchSize) }
    if minibatchFullEvalSteps != 5 { settings["minibatch_full_eval_steps"] = .int(minibatchFullEvalSteps) }
    if programAwareProposer != true { settings["program_aware_proposer"] = .bool(programAwareProposer) }
    if dataAwareProposer != true { settings["data_aware_proposer"] = .bool(dataAwareProposer) }
    if tipAwareProposer != true { settings["tip_aware_proposer"] = .bool(tipAwareProposer) }
    if fewshotAwareProposer != true { settings["fewshot_aware_proposer"] = .bool(fewshotAwareProposer) }
    if historyAwareProposer != true { settings["history_aware_proposer"] = .bool(historyAwareProposer) }
    if viewDataBatchSize != 10 { settings["view_data_batch_size"] = .int(viewDataBatchSize) }
    return Optimizer("MIPROv2", settings: settings)
  }
}
