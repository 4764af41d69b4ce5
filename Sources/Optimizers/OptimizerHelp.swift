package import JSON
import Failures

/// What optimizers and their settings are for, in a sentence each, for editors and help.
package enum OptimizerHelp {
  /// What an optimizer does.
  package static func summary(of optimizer: String) -> String? { summaries[optimizer] }

  /// What a setting means; settings of one name mean the same in every optimizer.
  package static func meaning(of setting: String) -> String? { settings[setting] }

  /// The settings of an optimizer with their defaults; null where there is none.
  package static func defaults(of optimizer: String) -> JSONObject {
    OptimizerRegistry.make(.string(optimizer), path: "optimizer", problems: ProblemList())?.parameters ?? [:]
  }

  private static let summaries = [
    "LabeledFewShot": "Shows rows of the trainset as demos, as they are. Asks no model.",
    "BootstrapFewShot": "Runs the program on the trainset and shows the executions that the metric accepts as demos.",
    "BootstrapFewShotWithRandomSearch":
      "Bootstraps many demo sets from shuffled trainsets and keeps the one that scores best on the valset.",
    "MIPROv2":
      "Searches instructions and demo sets together: proposes instructions from data and program, bootstraps demos, and "
      + "tries combinations under a statistical model of what scores well.",
  ]

  private static let settings = [
    "auto": "The size of the search: light, medium or heavy. Null lets num_candidates and num_trials decide.",
    "num_candidates": "How many instructions, and how many demo sets, each predictor can choose from.",
    "num_trials": "How many combinations are tried.",
    "max_bootstrapped_demos": "How many demos, at most, come from executions that the metric accepted.",
    "max_labeled_demos": "How many demos, at most, are rows of the trainset as they are.",
    "seed": "Starts everything that is drawn at random; the same seed and answers give the same search.",
    "init_temperature": "The temperature at which instructions are proposed.",
    "metric_threshold": "The score from which on an execution is good enough to be a demo; anything but 0 where null.",
    "max_errors": "How many rows may fail before the search stops.",
    "minibatch": "Whether trials are scored on a part of the valset, and only the best of them on all of it.",
    "minibatch_size": "How many rows of the valset a trial is scored on.",
    "minibatch_full_eval_steps": "After how many trials the best combination so far is scored on the whole valset.",
    "program_aware_proposer": "Whether proposals are made from a description of the program.",
    "data_aware_proposer": "Whether proposals are made from a summary of the trainset.",
    "tip_aware_proposer": "Whether each proposal is given a hint at a style of its own.",
    "fewshot_aware_proposer": "Whether proposals are made from bootstrapped demos.",
    "history_aware_proposer": "Whether later proposals are made from the best attempts so far.",
    "view_data_batch_size": "How many rows one request of the data summary shows.",
    "k": "How many demos each predictor gets, at most.",
    "sample": "Whether the demos are drawn at random; else they are the first rows.",
    "max_rounds": "How often a row is tried, each time with fresh answers.",
    "num_candidate_programs": "How many demo sets are made from shuffled trainsets.",
    "stop_at_score": "The score, in percent, at which the search ends.",
  ]
}
