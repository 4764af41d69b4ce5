package import Evaluation
package import Failures
import JSON
package import LanguageModels
package import Programs
package import RowStorage
package import Schema

/// What an optimizer is given to work on.
package struct CompileTask: Sendable {
  package var student: Program
  package var trainset: Rows
  /// Rows to score candidates on; nil: the optimizer takes them from the trainset, each in its way.
  package var valset: Rows?
  package var metric: any Metric
  /// The model the program runs on.
  package var taskModel: ModelClient
  /// The model that writes instructions.
  package var promptModel: ModelClient
  /// The model that demos are bootstrapped with; the task model where nil.
  package var teacherModel: ModelClient?
  /// The program that demos are bootstrapped with; made from the student where nil.
  package var teacher: Program?
  package var session: EngineSession
  /// How many model calls it took, at most, to decide in which form the model is asked.
  var adapterCalls = 0
  /// The search of which this one is a step, if it is one.
  var chain: ChainLink?

  package init(
    student: Program, trainset: Rows, valset: Rows? = nil, metric: any Metric,
    taskModel: ModelClient, promptModel: ModelClient? = nil, session: EngineSession
  ) {
    self.student = student
    self.trainset = trainset
    self.valset = valset
    self.metric = metric
    self.taskModel = taskModel
    self.promptModel = promptModel ?? taskModel
    self.session = session
  }

  /// How many calls the search may plan with, if that is bounded.
  var maxCalls: Int? { chain.map(\.maxCalls) ?? session.account.budget.limits.maxCalls }

  package var evaluator: Evaluator { Evaluator(session: session, model: taskModel, metric: metric) }
}

/// What an optimizer found.
package struct SearchResult: Sendable {
  /// The best program: the student itself where nothing better was found.
  package var program: Program
  /// The full evaluation that the best program was chosen by.
  package var best: Trial?
  /// The evaluation of the student as it came.
  package var baseline: Trial?
  /// Every evaluation, in order.
  package var trials: [Trial]
  /// The student and the best program on rows that the search never saw; the latter is nil where it is the student.
  package var test: (baseline: Trial, best: Trial?)?
  /// Among how many programs the best was chosen on the rows of `best`, where all other choices were made on other rows;
  /// nil: all that were tried.
  package var confirmedAmong: Int?
  /// Why the search ended before its time, with what it had; nil if it ran to its end.
  package var stopped: HoneError?

  package init(
    program: Program, best: Trial? = nil, baseline: Trial? = nil, trials: [Trial] = [], stopped: HoneError? = nil
  ) {
    self.program = program
    self.best = best
    self.baseline = baseline
    self.trials = trials
    self.stopped = stopped
  }
}

/// Finds the instructions and demos with which a program scores best.
///
/// An optimizer is a value with its settings, which have DSPy's names and defaults. Given its seed and the models' answers it is deterministic, whatever the
/// concurrency: whatever it draws at random or decides, it decides in an order that does not depend on what finishes
/// first. It knows neither store nor client; it says what happens through the session's events.
package protocol Optimizer: NamedSchemaObject {
  /// Whether candidates are scored on the trainset where there is no valset.
  var scoresTrainset: Bool { get }

  /// Whether the prompt model is asked to write for it.
  var writesTexts: Bool { get }

  /// The client's functions that write texts for the search, with their places within the settings; none unless said.
  var proposers: [(place: String, proposer: ClientProposer)] { get }

  /// Whether it makes vectors of the rows, where there is a model for that; not unless said.
  var makesVectors: Bool { get }

  /// Notes what would make a compile fail, before any model is asked; nothing unless said.
  ///
  /// - Parameter place: where the settings stand in the request.
  func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList)

  /// What the search will ask for, part by part, as far as that can be told before anything is asked.
  func parts(_ task: CompileTask) -> [PlannedPart]

  /// Searches.
  ///
  /// - Returns: the best program so far, also when something ended the search before its time (`stopped` says what): a
  ///   cancellation, a spent budget, an outage. With nothing scored that is the student.
  func compile(_ task: CompileTask) async -> SearchResult
}

extension Optimizer {
  package var scoresTrainset: Bool { false }
  package var writesTexts: Bool { false }
  package var proposers: [(place: String, proposer: ClientProposer)] { [] }
  package var makesVectors: Bool { false }
  package func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList) {}
}
