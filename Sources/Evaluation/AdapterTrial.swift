package import Failures
package import JSON
package import LanguageModels
package import Programs

/// In which form a run asks its model, and how that was decided.
package struct AdapterDecision: Sendable {
  /// How one form did with one program, over the rows it was tried on.
  package struct Try: Sendable, Hashable {
    package var format: ReplyFormat
    /// The program's place among those that were tried: the program as it is, then with examples.
    package var program: Int
    package var rows: Int
    package var readable: Int
    /// How many of these were written as asked for, without mending.
    package var clean: Int
    /// The mean of the metric from 0 to 1, unreadable replies counting as 0; nil where nothing was scored.
    package var score: Double?
    package var cut: Int

    package var share: Double { rows == 0 ? 0 : Double(clean) / Double(rows) }
  }

  package var format: ReplyFormat
  package var tries: [Try]
  /// The beginning of a reply that could not be read.
  package var unreadableReply: String?

  /// `{"format", "tried": [{"format", "examples", "rows", "readable", "score"}]}`.
  package var json: JSONObject {
    [
      "format": .string(format.rawValue),
      "tried": .array(
        tries.map { attempt in
          [
            "format": .string(attempt.format.rawValue), "withDemos": .bool(attempt.program > 0),
            "rows": .int(attempt.rows), "readable": .int(attempt.readable), "clean": .int(attempt.clean),
            "score": JSONValue(attempt.score.map { (100 * $0).roundedToHundredths }),
          ]
        }),
    ]
  }

  /// The decision in a sentence.
  package var sentence: String {
    let all = tries.filter { $0.format == format }
    let rows = all.reduce(0) { $0 + $1.rows }
    let readable = all.reduce(0) { $0 + $1.readable }
    let others = Set(tries.map(\.format)).count > 1 ? ", more or better than in other forms" : ""
    return "Prompts have the form \(format.rawValue): \(readable) of \(rows) replies could be read\(others)."
  }

  /// Whether not one reply could be read, whatever the form.
  package var isHopeless: Bool { tries.contains { $0.rows > 0 } && tries.allSatisfy { $0.readable == 0 } }

  /// That nothing could be read: how much was tried, what came, and what to try next.
  package func unreadable(_ configuration: ModelConfiguration) -> HoneError {
    let replies = tries.reduce(0) { $0 + $1.rows }
    let cut = tries.reduce(0) { $0 + $1.cut }
    let formats = ReplyFormat.allCases.filter { format in tries.contains { $0.format == format } }
    let examples = tries.contains { $0.program > 0 } ? ", with and without examples" : ""
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
/// The chat form is tried first, on the program as it is: where every reply can be read, with little mending, it stays, and nothing was spent,
/// since the answers are kept for the evaluation that follows. Else each form is tried, on the program as it is and with
/// examples, on half of the rows, and those that do best on all. What is decided depends on the answers alone.
package struct AdapterTrial: Sendable {
  private let session: EngineSession
  private let model: ModelClient
  private let metric: any Metric

  /// How many rows a form is tried on.
  private static let rowCount = 8
  /// Fewer rows than this tell nothing.
  private static let leastRows = 4
  /// The share of replies written as asked for from which on a form does.
  private static let goodShare = 0.8
  /// By how much a score must be better to say anything on so few rows.
  private static let clearGain = 0.25

  package init(session: EngineSession, model: ModelClient, metric: any Metric) {
    self.session = session
    self.model = model
    self.metric = metric
  }

  /// The most executions that a decision costs beside those that the evaluation to come makes anyway.
  package static func mostExecutions(_ program: Program, candidates: Int, rows: Int) -> Int {
    guard program.adapter == nil, program.module.hostName == nil, rows >= leastRows else { return 0 }
    return ReplyFormat.allCases.count { $0.suits(program) } * candidates * min(rows, rowCount)
  }

  /// Decides for a program whose form is open; nil where that cannot be learned: on a handful of rows, or where the
  /// client's own code runs the program.
  ///
  /// - Parameters:
  ///   - programs: the program as it is, then with examples, if it is going to have any.
  ///   - rows: the rows that will be evaluated.
  /// - Throws: what ends a run; a refused key or request.
  package func decide(_ programs: [Program], rows: [JSONObject]) async throws(HoneError) -> AdapterDecision? {
    guard let student = programs.first, student.module.hostName == nil, rows.count >= Self.leastRows else { return nil }
    let rows = Array(rows.prefix(Self.rowCount))
    await session.events.emit(.phase("adapter", message: "Asking the first rows, to see how the model answers"))
    if let format = student.adapter { return try await look(programs, rows, format) }
    let first = try await attempt(student, 0, .chat, rows, 0..<rows.count, isJudged: false)
    if first.attempt.readable == first.attempt.rows, first.attempt.share >= Self.goodShare {
      return AdapterDecision(format: .chat, tries: [first.attempt], unreadableReply: nil)
    }
    await session.events.emit(
      .phase(
        "adapter",
        message:
          "\(first.attempt.rows - first.attempt.clean) of \(first.attempt.rows) replies were not written as asked for; trying other forms of prompt"
      ))
    let formats = ReplyFormat.allCases.filter { $0.suits(student) }
    let half = rows.count / 2
    let halves = try await attempts(formats, programs, rows, 0..<half)
    let best = halves.map(\.attempt.readable).max() ?? 0
    let kept = formats.filter { format in
      halves.contains { $0.attempt.format == format && $0.attempt.readable > 0 && $0.attempt.readable >= best - 1 }
    }
    let rest = best == 0 ? [] : try await attempts(kept, programs, rows, half..<rows.count)
    let tries = halves.map { one in
      rest.first { $0.attempt.format == one.attempt.format && $0.attempt.program == one.attempt.program }
        .map { Self.sum(one.attempt, $0.attempt) } ?? one.attempt
    }
    let format = Self.best(kept, tries)
    return AdapterDecision(
      format: format, tries: tries, unreadableReply: first.reply ?? halves.lazy.compactMap(\.reply).first)
  }

  /// Looks whether replies in a form that somebody chose can be read at all; asks for no more than that takes.
  private func look(
    _ programs: [Program], _ rows: [JSONObject], _ format: ReplyFormat
  ) async throws(HoneError) -> AdapterDecision {
    var decision = AdapterDecision(format: format, tries: [], unreadableReply: nil)
    for (index, program) in programs.enumerated() {
      let one = try await attempt(program, index, format, rows, 0..<rows.count, isJudged: false)
      decision.tries.append(one.attempt)
      decision.unreadableReply = decision.unreadableReply ?? one.reply
      if one.attempt.readable > 0 { break }
    }
    return decision
  }

  /// The form to take: the first whose replies, with its best program, are mostly written as asked for, unless a later one
  /// scores clearly better; where none are, the one that comes closest.
  private static func best(_ formats: [ReplyFormat], _ tries: [AdapterDecision.Try]) -> ReplyFormat {
    func own(_ format: ReplyFormat) -> [AdapterDecision.Try] { tries.filter { $0.format == format } }
    func share(_ format: ReplyFormat) -> Double { own(format).map(\.share).max() ?? 0 }
    func score(_ format: ReplyFormat) -> Double { own(format).compactMap(\.score).max() ?? 0 }
    let good = formats.filter { share($0) >= goodShare }
    if var chosen = good.first {
      for format in good where score(format) >= score(chosen) + clearGain { chosen = format }
      return chosen
    }
    func closeness(_ format: ReplyFormat) -> [Double] {
      [share(format), score(format), own(format).reduce(0) { $0 + Double($1.readable) }]
    }
    var chosen = formats.first ?? .chat
    for format in formats where closeness(chosen).lexicographicallyPrecedes(closeness(format)) { chosen = format }
    return chosen
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
    _ formats: [ReplyFormat], _ programs: [Program], _ rows: [JSONObject], _ range: Range<Int>
  ) async throws(HoneError) -> [Outcome] {
    let pairs = formats.flatMap { format in programs.indices.map { (format, $0) } }
    return try await concurrently(pairs) { _, pair throws(HoneError) in
      try await attempt(programs[pair.1], pair.1, pair.0, rows, range, isJudged: true)
    }
  }

  private func attempt(
    _ program: Program, _ index: Int, _ format: ReplyFormat, _ rows: [JSONObject], _ range: Range<Int>, isJudged: Bool
  ) async throws(HoneError) -> Outcome {
    var program = program
    program.adapter = format
    let prepared = PreparedProgram(program, asksAgain: false)
    let outcomes = try await concurrently(Array(range)) { _, row throws(HoneError) in
      try await execute(prepared, index, format, row, rows[row], isJudged: isJudged)
    }
    var result = AdapterDecision.Try(format: format, program: index, rows: 0, readable: 0, clean: 0, score: isJudged ? 0 : nil, cut: 0)
    var reply: String?
    var sum = 0.0
    for outcome in outcomes {
      switch outcome.error?.kind {
      case .outputUnparsable?:
        reply = reply ?? outcome.error?.details["reply"]
        result.rows += 1
      case nil, .metricFailed?:
        result.rows += 1
        result.readable += 1
        if outcome.replies.repaired == 0 { result.clean += 1 }
        sum += outcome.score ?? 0
      // What fails otherwise says nothing about the form; the evaluation to come meets it too.
      case .authentication?, .languageModelRejected?: if let error = outcome.error { throw error }
      default: break
      }
      result.cut += outcome.replies.cut
    }
    if isJudged, result.rows > 0 { result.score = sum / Double(result.rows) }
    return (result, reply)
  }

  private func execute(
    _ program: PreparedProgram, _ index: Int, _ format: ReplyFormat, _ row: Int, _ example: JSONObject, isJudged: Bool
  ) async throws(HoneError) -> ExampleResult {
    let occasion = "adapter_\(format.rawValue)_\(index)"
    var request = EngineSession.Request(program: program, inputs: example, model: model, scope: "\(occasion)/\(row)")
    // The evaluation to come asks the same again, and meets what was answered here.
    request.occasion = occasion
    if index > 0 { request.hiddenDemo = example }
    request.metadata = ["phase": "adapter", "adapter": .string(format.rawValue), "row": .int(row)]
    var session = session
    // The evaluation leaves the traces of what it asks; here only those of other forms are of interest.
    if !isJudged { session.traces = nil }
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
