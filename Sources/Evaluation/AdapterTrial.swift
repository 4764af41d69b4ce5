package import Failures
package import JSON
package import LanguageModels
package import Programs
public import Schema
import Statistics

/// In which form a run asks its model, and how that was decided.
public struct AdapterDecision: ResultObject {
  package static let members: [Member<Self>] = [
    Member("format", \.format, isAlwaysWritten: true, "The form of prompts and replies."),
    Member("tried", \.tries, isAlwaysWritten: true, "How each form did on the rows it was tried on."),
  ]

  /// How one form did with one program, over the rows it was tried on.
  public struct Try: ResultObject, Hashable {
    package static let members: [Member<Self>] = [
      Member("format", \.format, isAlwaysWritten: true, "The form."),
      Member("withDemos", \.hasDemos, isAlwaysWritten: true, "Whether the program had examples."),
      Member("rows", \.rows, isAlwaysWritten: true, "Rows asked."),
      Member("readable", \.readable, isAlwaysWritten: true, "Replies that could be read."),
      Member("clean", \.clean, isAlwaysWritten: true, "Those of them that needed no repair."),
      Member("score", \.percent, isAlwaysWritten: true, "The score in percent."),
    ]

    package var format = ReplyFormat.chat
    /// Whether the program had examples.
    public var hasDemos = false
    public var rows = 0
    public var readable = 0
    /// How many of these were written as asked for, without mending.
    public var clean = 0
    /// The mean of the metric from 0 to 1, unreadable replies counting as 0; nil where nothing came.
    public var score: Double?
    package var cut = 0

    /// The score in percent, two decimals.
    fileprivate var percent: Double? {
      get { score.map { (100 * $0).roundedToHundredths } }
      set { score = newValue.map { $0 / 100 } }
    }

    package var share: Double { rows == 0 ? 0 : Double(clean) / Double(rows) }

    package init() {}

    package init(format: ReplyFormat, hasDemos: Bool) {
      self.format = format
      self.hasDemos = hasDemos
    }
  }

  package var format = ReplyFormat.chat
  public var tries: [Try] = []
  /// The beginning of a reply that could not be read.
  package var unreadableReply: String?

  package init() {}

  package init(format: ReplyFormat, tries: [Try], unreadableReply: String? = nil) {
    self.format = format
    self.tries = tries
    self.unreadableReply = unreadableReply
  }

  /// The decision in a sentence.
  package var sentence: String {
    let all = tries.filter { $0.format == format }
    let rows = all.reduce(0) { $0 + $1.rows }
    let readable = all.reduce(0) { $0 + $1.readable }
    let others = Set(tries.map(\.format)).count > 1 ? ", more or better answers than in other forms" : ""
    return "Prompts have the form \(format.rawValue): \(readable) of \(rows) replies could be read\(others)."
  }

  /// Whether not one reply could be read, whatever the form.
  package var isHopeless: Bool { tries.contains { $0.rows > 0 } && tries.allSatisfy { $0.readable == 0 } }

  /// That nothing could be read: how much was tried, what came, and what to try next.
  package func unreadable(_ configuration: ModelConfiguration) -> HoneError {
    let replies = tries.reduce(0) { $0 + $1.rows }
    let cut = tries.reduce(0) { $0 + $1.cut }
    let formats = ReplyFormat.allCases.filter { format in tries.contains { $0.format == format } }
    let examples = tries.contains { $0.hasDemos } ? ", with and without examples" : ""
    var message =
      "None of \(replies) replies of \(configuration.model) could be read (prompts in the form "
      + "\(formats.map(\.rawValue).joined(separator: ", "))\(examples)), so there is nothing to compare."
    if let unreadableReply { message += " It wrote, for example: \(JSONValue.string(unreadableReply).excerpt)" }
    let remedy =
      cut * 2 > replies
      ? "\(cut) of them were cut off at the token limit: raise the model's maxTokens."
      : formats.count == 1
        ? "Let the form be chosen (adapter: \"auto\"), or name another model."
        : "Name another model, or ask for fewer and simpler outputs."
    return HoneError(.outputUnparsable, message, remedy: remedy)
  }
}

/// Learns on a few rows in which form a model is to be asked: the one whose replies can be read, and are best.
///
/// The chat form is tried first, on the program as it is: where its replies can be read and many are right, it stays, and
/// nothing was spent, since the answers are kept for the evaluation that follows. Else each form is tried on half of the
/// rows, with examples if candidates will have any, without if the program itself is one and does badly in chat, and those
/// that do best on all of them. What is decided depends on the answers alone.
package struct AdapterTrial: Sendable {
  private let session: EngineSession
  private let model: ModelClient
  private let metric: any Metric

  /// How many rows a form is tried on.
  private static let rowCount = 8
  /// How many of the forms tried on half of the rows are tried on the rest, at most; where programs with and without
  /// examples are compared, one more.
  private static let finalists = 3
  /// Fewer rows than this tell nothing.
  private static let leastRows = 4
  /// The share of replies written as asked for from which on a form does.
  private static let goodShare = 0.8
  /// How many replies must be right, at least, that a search looks for no other form: half of them.
  package static let forSearches = 0.5
  /// The same for one evaluation, which costs no more than its rows: any.
  package static let forEvaluations = 0.01

  package init(session: EngineSession, model: ModelClient, metric: any Metric) {
    self.session = session
    self.model = model
    self.metric = metric
  }

  /// The most executions that a decision costs beside those that the evaluation to come makes anyway.
  package static func mostExecutions(_ program: Program, rows: Int, keepsStudent: Bool = false) -> Int {
    guard program.module.hostName == nil, rows >= leastRows else { return 0 }
    let rows = min(rows, rowCount)
    // With a form given: that one on the program as it is, with examples, and the last word on what nobody could read.
    guard program.adapter == nil else { return 3 * rows }
    let contenders = ReplyFormat.allCases.count { $0.suits(program) } * (keepsStudent ? 2 : 1)
    let rest = min(contenders, finalists + (keepsStudent ? 1 : 0))
    return 2 * rows + contenders * (rows / 2) + rest * (rows - rows / 2)
  }

  /// Decides for a program whose form is open; nil where that cannot be learned: on a handful of rows, or where the
  /// client's own code runs the program.
  ///
  /// - Parameters:
  ///   - student: the program as it is.
  ///   - examples: the program with examples, if candidates are going to have any.
  ///   - keepsStudent: whether the student is a candidate, too.
  ///   - rows: the rows that will be evaluated.
  ///   - goodScore: the score, from 0 to 1, from which on chat stays if it can be read.
  /// - Throws: what ends a run; a refused key or request.
  package func decide(
    _ student: Program, examples: Program? = nil, keepsStudent: Bool = false, rows: some Collection<JSONObject>,
    goodScore: Double = forSearches
  ) async throws(HoneError) -> AdapterDecision? {
    guard student.module.hostName == nil, rows.count >= Self.leastRows else { return nil }
    let rows = Array(rows.prefix(Self.rowCount))
    await session.events.emit(.phase("adapter", message: "Asking the first rows, to see how the model answers"))
    if let format = student.adapter { return try await look(student, examples, rows, format) }
    let first = try await attempt(student, .chat, rows, 0..<rows.count, isFirst: true)
    // Where every row was refused, or met an outage, nothing was learned of the form.
    guard first.attempt.rows > 0 else { return nil }
    if first.attempt.readable == first.attempt.rows, first.attempt.share >= Self.goodShare,
      first.attempt.score ?? 1 >= goodScore
    {
      return AdapterDecision(format: .chat, tries: [first.attempt], unreadableReply: nil)
    }
    let right = first.attempt.score.map { ", \(Int(($0 * Double(first.attempt.rows)).rounded())) right" } ?? ""
    await session.events.emit(
      .phase(
        "adapter",
        message:
          "In chat \(first.attempt.clean) of \(first.attempt.rows) replies were as asked for\(right); trying other forms"
      ))
    // A model that writes chat as asked, and some of it right, needs no other form for the program as it is.
    let isStudentIn =
      examples == nil
      || keepsStudent && (first.attempt.share < Self.goodShare || first.attempt.score ?? 1 < goodScore / 2)
    // What chat does on the program as it is has been seen already, unless nobody has judged it.
    let isFirstIn = isStudentIn && first.attempt.score != nil
    let formats = ReplyFormat.allCases.filter { $0.suits(student) }
    let contenders =
      (examples.map { shown in formats.map { ($0, shown) } } ?? [])
      + (isStudentIn ? formats.filter { $0 != .chat || !isFirstIn }.map { ($0, student) } : [])
    let (tries, leaders, reply) = try await compare(contenders, rows)
    let decision = AdapterDecision(
      format: Self.best((isFirstIn ? [first.attempt] : []) + leaders) ?? .chat, tries: [first.attempt] + tries,
      unreadableReply: first.reply ?? reply)
    return try await confirmed(decision, examples ?? student, rows)
  }

  /// Tries forms on half of the rows, and those that can be read and are not clearly behind on the rest.
  ///
  /// - Returns: what all of them did, those that were tried on all rows, and the beginning of a reply that nobody could read.
  private func compare(
    _ contenders: [(ReplyFormat, Program)], _ rows: [JSONObject]
  ) async throws(HoneError) -> (tries: [AdapterDecision.Try], leaders: [AdapterDecision.Try], reply: String?) {
    let half = rows.count / 2
    let halves = try await attempts(contenders, rows, 0..<half)
    let best = halves.map { Self.worth($0.attempt) }.max() ?? 0
    let ranked = halves.indices
      .filter { halves[$0].attempt.readable > 0 && (best - Self.worth(halves[$0].attempt)) * Double(half) < 2 }
      .sorted { (Self.worth(halves[$1].attempt), $0) < (Self.worth(halves[$0].attempt), $1) }
    let leaders = ranked.prefix(Self.finalists)
    // A program without examples is another thing than one with them: the best of each gets to the end.
    let other = ranked.dropFirst(Self.finalists).first { place in
      leaders.allSatisfy { halves[$0].attempt.hasDemos != halves[place].attempt.hasDemos }
    }
    let kept = (leaders + (other.map { [$0] } ?? [])).sorted()
    let rest = try await attempts(kept.map { contenders[$0] }, rows, half..<rows.count)
    var tries = halves.map(\.attempt)
    for (place, more) in zip(kept, rest) { tries[place] = Self.sum(tries[place], more.attempt) }
    return (tries, kept.map { tries[$0] }, halves.lazy.compactMap(\.reply).first)
  }

  /// The decision with the last word on a model that nobody could read: an evaluation asks again where a reply cannot be
  /// read, so only what fails then, too, is hopeless.
  private func confirmed(
    _ decision: AdapterDecision, _ program: Program, _ rows: [JSONObject]
  ) async throws(HoneError) -> AdapterDecision {
    guard decision.isHopeless else { return decision }
    var decision = decision
    decision.tries.append(try await attempt(program, decision.format, rows, 0..<rows.count, asksAgain: true).attempt)
    return decision
  }

  /// Looks whether replies in a form that somebody chose can be read at all; asks for no more than that takes.
  private func look(
    _ student: Program, _ examples: Program?, _ rows: [JSONObject], _ format: ReplyFormat
  ) async throws(HoneError) -> AdapterDecision {
    var decision = AdapterDecision(format: format, tries: [], unreadableReply: nil)
    for program in [student] + (examples.map { [$0] } ?? []) {
      let one = try await attempt(program, format, rows, 0..<rows.count, isFirst: true)
      decision.tries.append(one.attempt)
      decision.unreadableReply = decision.unreadableReply ?? one.reply
      if one.attempt.readable > 0 { break }
    }
    return try await confirmed(decision, examples ?? student, rows)
  }

  /// What makes a form better than another: the score, in which a reply that cannot be read is a wrong one; a quarter as
  /// much, how many can be read, since the others cost several requests each; and half of that, how many are written as
  /// asked for. More would favour forms in which any text is a reply, as plain text is.
  private static func worth(_ attempt: AdapterDecision.Try) -> Double {
    guard attempt.rows > 0 else { return 0 }
    return (attempt.score ?? 0) + Double(2 * attempt.readable + attempt.clean) / Double(8 * attempt.rows)
  }

  /// The best form; of those within one row of each other the first, since so few rows tell no more.
  private static func best(_ tries: [AdapterDecision.Try]) -> ReplyFormat? {
    var best = tries.first
    for attempt in tries {
      guard let known = best else { break }
      if (worth(attempt) - worth(known)) * Double(max(1, attempt.rows)) > 1.001 { best = attempt }
    }
    return best?.format
  }

  private static func sum(_ a: AdapterDecision.Try, _ b: AdapterDecision.Try) -> AdapterDecision.Try {
    var sum = a
    sum.rows += b.rows
    sum.readable += b.readable
    sum.clean += b.clean
    sum.cut += b.cut
    if let first = a.score, let second = b.score, sum.rows > 0 {
      sum.score = (first * Double(a.rows) + second * Double(b.rows)) / Double(sum.rows)
    }
    return sum
  }

  // MARK: Trying

  private typealias Outcome = (attempt: AdapterDecision.Try, reply: String?)

  private func attempts(
    _ contenders: [(ReplyFormat, Program)], _ rows: [JSONObject], _ range: Range<Int>
  ) async throws(HoneError) -> [Outcome] {
    try await concurrently(contenders) { _, contender throws(HoneError) in
      try await attempt(contender.1, contender.0, rows, range)
    }
  }

  /// - Parameter isFirst: whether the evaluation to come asks the same, and leaves the traces.
  private func attempt(
    _ program: Program, _ format: ReplyFormat, _ rows: [JSONObject], _ range: Range<Int>, isFirst: Bool = false,
    asksAgain: Bool = false
  ) async throws(HoneError) -> Outcome {
    var program = program
    program.adapter = format
    let prepared = PreparedProgram(program, asksAgain: asksAgain)
    // The evaluation to come asks the metric about the first ones, too.
    let isJudged = !isFirst || metric.isRepeatable
    let outcomes = try await concurrently(Array(range)) { _, row throws(HoneError) in
      let outcome = try await execute(prepared, format, row, rows[row], isFirst: isFirst, isJudged: isJudged)
      // What fails so says nothing about the form; the evaluation to come would meet it too.
      if let error = outcome.error, error.kind.stopsWork { throw error }
      return outcome
    }
    let hasDemos = program.states.contains { !$0.demos.isEmpty }
    var result = AdapterDecision.Try(format: format, hasDemos: hasDemos)
    var reply: String?
    var sum = 0.0
    for outcome in outcomes {
      switch outcome.error?.kind {
      case let kind? where kind.isUnreadable:
        reply = reply ?? outcome.error?.details["reply"]
        result.rows += 1
      case nil, .metricFailed?:
        result.rows += 1
        result.readable += 1
        if outcome.replies.repaired == 0 { result.clean += 1 }
        sum += outcome.score ?? 0
      default: break
      }
      result.cut += outcome.replies.cut
    }
    if result.rows > 0, isJudged { result.score = sum / Double(result.rows) }
    return (result, reply)
  }

  private func execute(
    _ program: PreparedProgram, _ format: ReplyFormat, _ row: Int, _ example: JSONObject, isFirst: Bool, isJudged: Bool
  ) async throws(HoneError) -> ExampleResult {
    let occasion = "adapter_\(format.rawValue)\(isFirst ? "" : "_other")"
    var request = EngineSession.Request(program: program, inputs: example, model: model, scope: "\(occasion)/\(row)")
    // The evaluation to come asks the same again, and meets what was answered here.
    request.occasion = occasion
    request.leavesOneOut = true
    request.metadata = ["phase": "adapter", "adapter": .string(format.rawValue), "row": .int(row)]
    var session = session
    if isFirst { session.traces = nil }
    let judgement = Judgement()
    let execution = try await session.execute(request) { outcome, context throws(HoneError) in
      guard isJudged else { return [] }
      return try await judgement.judge(outcome, in: context, example: example, program: program, metric: metric)
    }
    var result = ExampleResult(row: row, score: nil, example: example)
    result.replies = execution.replies
    if case .failure(let error) = execution.outcome { result.error = error }
    switch judgement.verdict {
    case .success(let score)?: result.score = score.value
    case .failure(let error)?: result.error = error
    case nil: break
    }
    return result
  }
}
