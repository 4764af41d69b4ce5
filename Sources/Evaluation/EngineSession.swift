import Basics
package import Failures
package import JSON
package import LanguageModels
package import Messages
package import Programs
package import Traces

/// What all the work of one run shares: the gate, the account, and where events and traces go.
package struct EngineSession: Sendable {
  /// The run that everything is done for; nil when nothing is tracked.
  package var runID: String?
  package var experimentID: String?
  package var account: RunAccount
  package var gate: Gate
  package var events: any EventSink
  /// Where traces go; nil: executions are not traced.
  package var traces: (any TraceSink)?
  /// How many examples of an evaluation may fail before it ends with `tooManyErrors`; nil: any number.
  package var maxErrors: Int?
  /// The client that takes part in executions (host programs, tools); nil where there is none.
  package var callbacks: Callbacks?
  /// What makes vectors of texts, for programs whose rows have a model's.
  package var vectorizer: ModelClient?
  /// Where in the run the work stands, for work of several searches one after the other: the beginning of every scope.
  package var place = ""
  /// How many replies of models the work has used so far.
  package let replies = ReplyCounter()
  /// What has been told once and need not be told again.
  package let told = ToldOnce()
  /// Whether evaluations are tracked as runs of their own; else their traces belong to the session's run.
  package var tracksEvaluations = true

  package init(
    runID: String? = nil, experimentID: String? = nil, account: RunAccount, concurrency: Int,
    events: any EventSink = NoEvents(), traces: (any TraceSink)? = nil, maxErrors: Int? = nil
  ) {
    self.runID = runID
    self.experimentID = experimentID
    self.account = account
    self.gate = Gate(width: concurrency)
    self.events = events
    self.traces = traces
    self.maxErrors = maxErrors
  }

  /// What one execution is asked to be.
  package struct Request: Sendable {
    package var program: PreparedProgram
    package var inputs: JSONObject
    package var model: ModelClient
    package var role: CallRole = .task
    /// Where in the run it stands; the same whenever the run is done again.
    package var scope: String
    /// The beginning of `scope` that says on which occasion (see `CallContext.occasion`).
    package var occasion = ""
    package var rollout = 0
    package var options: SamplingOptions?
    /// Whether demos with the inputs that a predictor gets are kept from it, so that no answer is copied.
    package var leavesOneOut = false
    /// The run its trace is linked to; the session's where nil.
    package var runID: String?
    /// Facts for the trace (`phase`, `row` …).
    package var metadata: JSONObject = [:]

    package init(program: PreparedProgram, inputs: JSONObject, model: ModelClient, scope: String) {
      self.program = program
      self.inputs = inputs
      self.model = model
      self.scope = scope
    }
  }

  /// What came of one execution.
  package struct Execution: Sendable {
    package var outcome: Result<Prediction, HoneError>
    /// Nil where it is not traced.
    package var traceID: TraceID?
    package var replies: ReplyCounts
  }

  /// Runs a program once, inside the gate, and records its trace with what `judge` says of the outcome.
  ///
  /// - Throws: only what ends more than this execution: a cancellation, a spent budget, a client that has gone and a
  ///   store that keeps nothing.
  package func execute(
    _ request: Request,
    judge: (Result<Prediction, HoneError>, ExecutionContext) async throws(HoneError) -> [Assessment] = { _, _ in [] }
  ) async throws(HoneError) -> Execution {
    try await gate.pass { () async throws(HoneError) in
      let trace = traces == nil ? nil : TraceBuilder(id: traceID(of: request))
      var call = CallContext(account: account, role: request.role, scope: place + request.scope)
      call.occasion = place + request.occasion
      call.rollout = request.rollout
      var context = ExecutionContext(model: request.model, call: call, trace: trace)
      context.options = request.options
      context.leavesOneOut = request.leavesOneOut
      context.callbacks = callbacks
      context.vectorizer = vectorizer
      let tally = ReplyTally()
      context.tally = tally
      let outcome: Result<Prediction, HoneError>
      do throws(HoneError) {
        outcome = .success(try await request.program.run(request.inputs, in: context))
      } catch {
        if error.kind.endsRun { throw error }
        outcome = .failure(error)
      }
      replies.add(tally.counts.replies)
      let assessments = try await judge(outcome, context)
      if let trace, let traces {
        var finished = trace.finish(
          experimentID: experimentID, runID: request.runID ?? runID, assessments: assessments,
          metadata: request.metadata)
        finished.isRepeatable = runID != nil
        await traces.record(finished)
      }
      return Execution(outcome: outcome, traceID: trace?.id, replies: tally.counts)
    }
  }

  /// Within a run, the same execution has the same trace: a run done again leaves one of each.
  private func traceID(of request: Request) -> TraceID {
    guard let runID else { return .random() }
    var builder = ContentDigest.Builder()
    builder.add(runID)
    builder.add(place + request.scope)
    builder.add(request.program.digest)
    builder.add(JSONValue.object(request.inputs).encoded())
    return TraceID(builder.finish())
  }
}
