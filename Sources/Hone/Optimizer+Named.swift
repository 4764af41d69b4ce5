// Made by scripts/generate-optimizers from what the optimizers declare; do not edit.

import JSON

extension Optimizer {
  /// How many calls of all roles the search may plan with where the budget has no maxCalls: about 700, 1500 or 3000 for a program of one step.
  public enum AutoAuto: String, Sendable, CaseIterable {
    case light
    case medium
    case heavy
  }

  /// Chooses by itself: writes rules from failures, gathers demos, learns from every answer which of them help, and
  /// confirms the result on rows that did not choose it.
  ///
  /// - Parameters:
  ///   - auto: How many calls of all roles the search may plan with where the budget has no maxCalls: about 700, 1500
  ///     or 3000 for a program of one step.
  ///   - seed: The seed of everything random; the same seed and answers give the same search.
  ///   - maxBootstrappedDemos: How many demos, at most, come from executions that the metric accepted.
  ///   - maxLabeledDemos: How many demos, at most, are rows of the trainset as they are.
  ///   - metricThreshold: The score from which an execution is good enough to be a demo; nil means any score but 0.
  ///   - maxRules: How many rules may be written; 0 leaves the instructions as they are.
  ///   - maxPromptChars: The most characters that a step's instructions may have.
  ///   - proposer: A function of the client that writes the rules in place of the prompt model: {"client": NAME}.
  public static func auto(
    auto: AutoAuto = .light, seed: Int = 0, maxBootstrappedDemos: Int = 8, maxLabeledDemos: Int = 16,
    metricThreshold: Double? = nil, maxRules: Int = 40, maxPromptChars: Int = 8000, proposer: JSONObject? = nil
  ) -> Optimizer {
    var settings = JSONObject()
    if auto != .light { settings["auto"] = .string(auto.rawValue) }
    if seed != 0 { settings["seed"] = .int(seed) }
    if maxBootstrappedDemos != 8 { settings["max_bootstrapped_demos"] = .int(maxBootstrappedDemos) }
    if maxLabeledDemos != 16 { settings["max_labeled_demos"] = .int(maxLabeledDemos) }
    if let metricThreshold { settings["metric_threshold"] = .double(metricThreshold) }
    if maxRules != 40 { settings["max_rules"] = .int(maxRules) }
    if maxPromptChars != 8000 { settings["max_prompt_chars"] = .int(maxPromptChars) }
    if let proposer { settings["proposer"] = .object(proposer) }
    return Optimizer("Auto", settings: settings)
  }

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

  /// Lets several optimizers search one after the other, each from the best program so far.
  ///
  /// - Parameters:
  ///   - strategy: The steps in their order: "BootstrapFewShot -> GEPA".
  ///   - optimizers: The settings of the steps, by the name that the strategy has for them; a step of another name
  ///     says in "name" which optimizer it is.
  ///   - valsetRatio: Which part of the trainset is set aside for scoring where there is no valset.
  ///   - seed: The seed of the steps that have one and whose settings name none.
  public static func chain(
    strategy: String? = nil, optimizers: JSONObject? = nil, valsetRatio: Double = 0.3, seed: Int = 0
  ) -> Optimizer {
    var settings = JSONObject()
    if let strategy { settings["strategy"] = .string(strategy) }
    if let optimizers { settings["optimizers"] = .object(optimizers) }
    if valsetRatio != 0.3 { settings["valset_ratio"] = .double(valsetRatio) }
    if seed != 0 { settings["seed"] = .int(seed) }
    return Optimizer("Chain", settings: settings)
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

  /// The size of the search, where neither maxFullEvals nor maxMetricCalls is given.
  public enum GEPAAuto: String, Sendable, CaseIterable {
    case light
    case medium
    case heavy
  }

  /// Which candidate is gone on from.
  public enum GEPACandidateSelectionStrategy: String, Sendable, CaseIterable {
    case pareto
    case currentBest = "current_best"
    case epsilonGreedy = "epsilon_greedy"
    case topKPareto = "top_k_pareto"
  }

  /// Which steps are rewritten at a time.
  public enum GEPAComponentSelector: String, Sendable, CaseIterable {
    case roundRobin = "round_robin"
    case all
  }

  /// What candidates may each be the best at.
  public enum GEPAFrontierType: String, Sendable, CaseIterable {
    case instance
    case objective
    case hybrid
    case cartesian
  }

  /// Whether every candidate is scored on all rows (full), or only as long as it may still be the best (race).
  public enum GEPAValidation: String, Sendable, CaseIterable {
    case full
    case race
  }

  /// Lets the prompt model read what went wrong and rewrite the instructions; keeps a pool of candidates that are
  /// each best on some rows.
  ///
  /// - Parameters:
  ///   - auto: The size of the search, where neither maxFullEvals nor maxMetricCalls is given.
  ///   - maxFullEvals: The budget as evaluations of trainset and valset together.
  ///   - maxMetricCalls: The budget as rows that programs are scored on.
  ///   - reflectionMinibatchSize: How many rows of the trainset the prompt model is shown at a time.
  ///   - candidateSelectionStrategy: Which candidate is gone on from.
  ///   - componentSelector: Which steps are rewritten at a time.
  ///   - frontierType: What candidates may each be the best at.
  ///   - useMerge: Whether candidates of one ancestor are merged, step by step.
  ///   - maxMergeInvocations: How many merges are tried, at most.
  ///   - skipPerfectScore: Whether rows that are all perfect are passed over.
  ///   - perfectScore: The score of a perfect row.
  ///   - addFormatFailureAsFeedback: Whether replies that could not be read are shown, with the form that was asked
  ///     for.
  ///   - parentsPerStep: How many candidates are gone on from at the same time.
  ///   - proposalsPerParent: How many rewritings of each are tried at the same time, each from rows of its own.
  ///   - validation: Whether every candidate is scored on all rows (full), or only as long as it may still be the
  ///     best (race).
  ///   - delta: In a race, the mean gain (0 to 1) below which a child is as good as none.
  ///   - alpha: In a race, how probable it may be that a child of that gain is dropped.
  ///   - rememberRejections: Whether the prompt model is shown what was tried from the same candidate and did not
  ///     help.
  ///   - proposer: A function of the client that writes the instructions in place of the prompt model: {"client":
  ///     NAME}.
  ///   - maxPromptChars: The most characters that instructions may have.
  ///   - seed: The seed of everything random; the same seed and answers give the same search.
  public static func gepa(
    auto: GEPAAuto? = nil, maxFullEvals: Int? = nil, maxMetricCalls: Int? = nil, reflectionMinibatchSize: Int = 3,
    candidateSelectionStrategy: GEPACandidateSelectionStrategy = .pareto,
    componentSelector: GEPAComponentSelector = .roundRobin, frontierType: GEPAFrontierType = .instance,
    useMerge: Bool = true, maxMergeInvocations: Int = 5, skipPerfectScore: Bool = true, perfectScore: Double = 1.0,
    addFormatFailureAsFeedback: Bool = false, parentsPerStep: Int = 1, proposalsPerParent: Int = 1,
    validation: GEPAValidation = .race, delta: Double = 0.03, alpha: Double = 0.2, rememberRejections: Bool = true,
    proposer: JSONObject? = nil, maxPromptChars: Int = 8000, seed: Int = 0
  ) -> Optimizer {
    var settings = JSONObject()
    if let auto { settings["auto"] = .string(auto.rawValue) }
    if let maxFullEvals { settings["max_full_evals"] = .int(maxFullEvals) }
    if let maxMetricCalls { settings["max_metric_calls"] = .int(maxMetricCalls) }
    if reflectionMinibatchSize != 3 { settings["reflection_minibatch_size"] = .int(reflectionMinibatchSize) }
    if candidateSelectionStrategy != .pareto {
      settings["candidate_selection_strategy"] = .string(candidateSelectionStrategy.rawValue)
    }
    if componentSelector != .roundRobin { settings["component_selector"] = .string(componentSelector.rawValue) }
    if frontierType != .instance { settings["frontier_type"] = .string(frontierType.rawValue) }
    if useMerge != true { settings["use_merge"] = .bool(useMerge) }
    if maxMergeInvocations != 5 { settings["max_merge_invocations"] = .int(maxMergeInvocations) }
    if skipPerfectScore != true { settings["skip_perfect_score"] = .bool(skipPerfectScore) }
    if perfectScore != 1.0 { settings["perfect_score"] = .double(perfectScore) }
    if addFormatFailureAsFeedback != false {
      settings["add_format_failure_as_feedback"] = .bool(addFormatFailureAsFeedback)
    }
    if parentsPerStep != 1 { settings["parents_per_step"] = .int(parentsPerStep) }
    if proposalsPerParent != 1 { settings["proposals_per_parent"] = .int(proposalsPerParent) }
    if validation != .race { settings["validation"] = .string(validation.rawValue) }
    if delta != 0.03 { settings["delta"] = .double(delta) }
    if alpha != 0.2 { settings["alpha"] = .double(alpha) }
    if rememberRejections != true { settings["remember_rejections"] = .bool(rememberRejections) }
    if let proposer { settings["proposer"] = .object(proposer) }
    if maxPromptChars != 8000 { settings["max_prompt_chars"] = .int(maxPromptChars) }
    if seed != 0 { settings["seed"] = .int(seed) }
    return Optimizer("GEPA", settings: settings)
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
