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

  /// Whether every candidate is scored on all rows (full), or only as long as it may still be the best (race).
  public enum BootstrapFewShotWithRandomSearchValidation: String, Sendable, CaseIterable {
    case full
    case race
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
  ///   - validation: Whether every candidate is scored on all rows (full), or only as long as it may still be the
  ///     best (race).
  public static func bootstrapFewShotWithRandomSearch(
    maxBootstrappedDemos: Int = 4, maxLabeledDemos: Int = 16, maxRounds: Int = 1, numCandidatePrograms: Int = 16,
    maxErrors: Int = 10, stopAtScore: Double? = nil, metricThreshold: Double? = nil,
    validation: BootstrapFewShotWithRandomSearchValidation = .full
  ) -> Optimizer {
    var settings = JSONObject()
    if maxBootstrappedDemos != 4 { settings["max_bootstrapped_demos"] = .int(maxBootstrappedDemos) }
    if maxLabeledDemos != 16 { settings["max_labeled_demos"] = .int(maxLabeledDemos) }
    if maxRounds != 1 { settings["max_rounds"] = .int(maxRounds) }
    if numCandidatePrograms != 16 { settings["num_candidate_programs"] = .int(numCandidatePrograms) }
    if maxErrors != 10 { settings["max_errors"] = .int(maxErrors) }
    if let stopAtScore { settings["stop_at_score"] = .double(stopAtScore) }
    if let metricThreshold { settings["metric_threshold"] = .double(metricThreshold) }
    if validation != .full { settings["validation"] = .string(validation.rawValue) }
    return Optimizer("BootstrapFewShotWithRandomSearch", settings: settings)
  }

  /// Searches instructions, predictor by predictor: each batch is written with the scores of earlier attempts in
  /// view.
  ///
  /// - Parameters:
  ///   - breadth: How many instructions a batch has; in the first, the program's own is one of them.
  ///   - depth: How many batches are written for each predictor.
  ///   - initTemperature: The temperature at which instructions are proposed.
  ///   - seed: The seed of everything random; the same seed and answers give the same search.
  public static func copro(
    breadth: Int = 10, depth: Int = 3, initTemperature: Double = 1.4, seed: Int = 0
  ) -> Optimizer {
    var settings = JSONObject()
    if breadth != 10 { settings["breadth"] = .int(breadth) }
    if depth != 3 { settings["depth"] = .int(depth) }
    if initTemperature != 1.4 { settings["init_temperature"] = .double(initTemperature) }
    if seed != 0 { settings["seed"] = .int(seed) }
    return Optimizer("COPRO", settings: settings)
  }

  /// Bootstraps demos, infers rules from solved rows, and keeps those with which the program scores best.
  ///
  /// - Parameters:
  ///   - numCandidates: How many programs get rules of their own.
  ///   - numRules: How many rules, at most, a predictor gets.
  ///   - maxBootstrappedDemos: How many demos, at most, come from executions that the metric accepted.
  ///   - maxLabeledDemos: How many demos, at most, are rows of the trainset as they are.
  ///   - maxRounds: How often a row is tried, each time with fresh answers.
  ///   - maxErrors: How many rows may fail before the search stops.
  ///   - metricThreshold: The score from which an execution is good enough to be a demo; nil means any score but 0.
  ///   - seed: The seed of everything random; the same seed and answers give the same search.
  public static func inferRules(
    numCandidates: Int = 10, numRules: Int = 10, maxBootstrappedDemos: Int = 4, maxLabeledDemos: Int = 16,
    maxRounds: Int = 1, maxErrors: Int = 10, metricThreshold: Double? = nil, seed: Int = 0
  ) -> Optimizer {
    var settings = JSONObject()
    if numCandidates != 10 { settings["num_candidates"] = .int(numCandidates) }
    if numRules != 10 { settings["num_rules"] = .int(numRules) }
    if maxBootstrappedDemos != 4 { settings["max_bootstrapped_demos"] = .int(maxBootstrappedDemos) }
    if maxLabeledDemos != 16 { settings["max_labeled_demos"] = .int(maxLabeledDemos) }
    if maxRounds != 1 { settings["max_rounds"] = .int(maxRounds) }
    if maxErrors != 10 { settings["max_errors"] = .int(maxErrors) }
    if let metricThreshold { settings["metric_threshold"] = .double(metricThreshold) }
    if seed != 0 { settings["seed"] = .int(seed) }
    return Optimizer("InferRules", settings: settings)
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

  /// Whether every candidate is scored on all rows (full), or only as long as it may still be the best (race).
  public enum MIPROv2Validation: String, Sendable, CaseIterable {
    case full
    case race
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
  ///   - validation: Whether every candidate is scored on all rows (full), or only as long as it may still be the
  ///     best (race).
  public static func miprov2(
    auto: MIPROv2Auto? = .light, numCandidates: Int? = nil, numTrials: Int? = nil, maxBootstrappedDemos: Int = 4,
    maxLabeledDemos: Int = 4, seed: Int = 9, initTemperature: Double = 1.0, metricThreshold: Double? = nil,
    maxErrors: Int = 10, minibatch: Bool = true, minibatchSize: Int = 35, minibatchFullEvalSteps: Int = 5,
    programAwareProposer: Bool = true, dataAwareProposer: Bool = true, tipAwareProposer: Bool = true,
    fewshotAwareProposer: Bool = true, historyAwareProposer: Bool = true, viewDataBatchSize: Int = 10,
    validation: MIPROv2Validation = .full
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
    if validation != .full { settings["validation"] = .string(validation.rawValue) }
    return Optimizer("MIPROv2", settings: settings)
  }

  /// Tries batches of rows several times and learns from where the program once succeeded and once failed: by demos,
  /// and by rules that the prompt model writes.
  ///
  /// - Parameters:
  ///   - bsize: How many rows of the trainset a step looks at.
  ///   - numCandidates: How often each row of a step is tried, and how many new programs a step makes.
  ///   - maxSteps: How many steps there are.
  ///   - maxDemos: How many demos a predictor has at most; with 0 only rules are learned.
  ///   - demoInputFieldMaxlen: How many characters of an input a demo keeps.
  ///   - temperatureForSampling: How much chance decides which programs try a batch; low: the best do.
  ///   - temperatureForCandidates: How much chance decides which programs new ones are made from; low: the best are.
  ///   - seed: The seed of everything random; the same seed and answers give the same search.
  public static func simba(
    bsize: Int = 32, numCandidates: Int = 6, maxSteps: Int = 8, maxDemos: Int = 4, demoInputFieldMaxlen: Int = 100000,
    temperatureForSampling: Double = 0.2, temperatureForCandidates: Double = 0.2, seed: Int = 0
  ) -> Optimizer {
    var settings = JSONObject()
    if bsize != 32 { settings["bsize"] = .int(bsize) }
    if numCandidates != 6 { settings["num_candidates"] = .int(numCandidates) }
    if maxSteps != 8 { settings["max_steps"] = .int(maxSteps) }
    if maxDemos != 4 { settings["max_demos"] = .int(maxDemos) }
    if demoInputFieldMaxlen != 100000 { settings["demo_input_field_maxlen"] = .int(demoInputFieldMaxlen) }
    if temperatureForSampling != 0.2 { settings["temperature_for_sampling"] = .double(temperatureForSampling) }
    if temperatureForCandidates != 0.2 { settings["temperature_for_candidates"] = .double(temperatureForCandidates) }
    if seed != 0 { settings["seed"] = .int(seed) }
    return Optimizer("SIMBA", settings: settings)
  }
}
