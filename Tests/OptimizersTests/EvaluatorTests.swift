import Evaluation
import Failures
import JSON
import LanguageModels
import Messages
import Programs
import RowStorage
import Statistics
import Testing
import Traces

@Suite("The evaluator", .timeLimit(.minutes(1)))
struct EvaluatorTests {
  private static let all = rows(0..<60)
  private static let solved = all.filter { difficulty($0["question"]?.stringValue ?? "") < 30 }.count

  @Test("the score is the share of right answers in percent, with an interval around it, rows in their order")
  func score() async throws {
    let bench = Bench(ScriptedModel(delays: true), concurrency: 16)
    let result = try await bench.evaluate(try program(), Self.all)
    #expect(Self.solved > 5 && Self.solved < 40)
    #expect(result.score == (Double(Self.solved) / 60 * 10_000).rounded() / 100)
    #expect(result.examples.map(\.row) == Array(0..<60))
    #expect(result.count == 60)
    #expect(result.failed == 0)
    #expect(result.coverage == 1)
    let interval = try #require(result.interval)
    let score = try #require(result.score)
    #expect(interval.low < score && score < interval.high)
    #expect(bench.model.calls == 60)
    #expect(bench.model.mostInFlight > 1 && bench.model.mostInFlight <= 16)
  }

  @Test("only the rows named are asked")
  func someRows() async throws {
    let bench = Bench()
    let info = EvaluationInfo(
      run: "run", key: "eval", index: 0, program: try program(), rows: [5, 2, 9], metric: "exact_match")
    let result = try await Evaluator(session: bench.session, model: bench.client, metric: ExactMatch())
      .evaluate(info, examples: Rows(Self.all))
    #expect(result.examples.map(\.row) == [5, 2, 9])
    #expect(Set(bench.model.asked.map(\.question)) == ["q5", "q2", "q9"])
  }

  @Test("an unreadable answer counts as wrong, an outage counts for nothing, and both are told apart from wrong")
  func failures() async throws {
    let bench = Bench(
      ScriptedModel(
        answer: { asked in
          switch asked.question {
          case "q0": "not wanted"
          default: rightAnswer(asked.question)
          }
        },
        fault: { asked, _ in
          switch asked.question {
          case "q1": failure(.contextWindowExceeded)
          case "q2": failure(.rateLimited)
          default: nil
          }
        }))
    let result = try await bench.evaluate(try program(), rows(0..<10))
    #expect(result.examples[0].score == 0)
    #expect(result.examples[0].error == nil)
    #expect(result.examples[1].score == nil)
    #expect(result.examples[1].error?.kind == .contextWindowExceeded)
    #expect(!result.examples[1].isOutage)
    #expect(result.examples[2].isOutage)
    #expect(result.failed == 2)
    #expect(result.coverage == 0.9)
    // Of nine that were judged, seven are right.
    #expect(result.score == 77.78)
  }

  @Test("an answer without the wanted fields is asked for once more, then counts as wrong")
  func unreadable() async throws {
    let mute = MuteModel()
    let client = ModelClient(
      model: mute, configuration: ModelConfiguration(model: "scripted/mute"), answers: MemoryAnswerStore())
    let bench = Bench()
    let typed = try program(["module": "Predict", "signature": "question -> answer: int"])
    let info = EvaluationInfo(run: nil, key: "eval", index: 0, program: typed, rows: [0, 1], metric: "exact_match")
    let result = try await Evaluator(session: bench.session, model: client, metric: ExactMatch())
      .evaluate(info, examples: Rows(Self.all))
    #expect(result.examples.allSatisfy { $0.error?.kind == .outputUnparsable && !$0.isOutage })
    #expect(result.score == 0)
    #expect(result.coverage == 1)
    #expect(result.failed == 2)
  }

  @Test("a row that met an outage is asked once more, after the others")
  func secondChance() async throws {
    let failed = Locked(Set<String>())
    let bench = Bench(
      ScriptedModel(answer: { rightAnswer($0.question) }) { asked, _ in
        guard ["q3", "q7"].contains(asked.question) else { return nil }
        let isFirst = !failed.now.contains(asked.question)
        failed.update { $0.insert(asked.question) }
        return isFirst ? failure(.timeout) : nil
      }, concurrency: 1)
    let result = try await bench.evaluate(try program(), rows(0..<12))
    #expect(result.score == 100)
    #expect(result.coverage == 1)
    #expect(bench.model.asked.suffix(2).map(\.question) == ["q3", "q7"])
    #expect(bench.model.calls == 14)
    #expect(bench.listener.evaluationEvents.count { $0 == "example 3" } == 1)
  }

  @Test("one more time, not more")
  func noThirdChance() async throws {
    let bench = Bench(ScriptedModel { asked, _ in asked.question == "q3" ? failure(.timeout) : nil })
    let result = try await bench.evaluate(try program(), rows(0..<12))
    #expect(result.examples[3].error?.kind == .timeout)
    #expect(bench.model.asked.count { $0.question == "q3" } == 2)
  }

  @Test("passing outages do not count towards maxErrors, lasting ones do")
  func maxErrors() async throws {
    let passing = Bench(
      ScriptedModel { _, call in call == 3 || call == 4 ? failure(.languageModelUnavailable) : nil },
      concurrency: 1, maxErrors: 1)
    #expect(try await passing.evaluate(try program(), rows(0..<20)).coverage == 1)
    let lasting = Bench(
      ScriptedModel { asked, _ in difficulty(asked.question) < 60 ? failure(.languageModelUnavailable) : nil },
      concurrency: 2, maxErrors: 3)
    let error = await errorOf { try await lasting.evaluate(try program(), rows(0..<200)) }
    #expect(error?.kind == .tooManyErrors)
    #expect(error?.details["causeKind"] == "languageModelUnavailable")
    #expect(lasting.model.calls < 40)
    #expect(lasting.listener.evaluationEvents.last == "stopped tooManyErrors")
  }

  @Test(
    "a bad key or a refused request ends the evaluation at once",
    arguments: [
      FailureKind.authentication, .languageModelRejected,
    ])
  func hopeless(kind: FailureKind) async throws {
    let bench = Bench(ScriptedModel { _, call in call > 5 ? failure(kind) : nil }, concurrency: 1)
    let error = await errorOf { try await bench.evaluate(try program(), rows(0..<50)) }
    #expect(error?.kind == kind)
    #expect(bench.model.calls == 6)
    guard case .evaluationStopped(_, let partial?, _)? = bench.listener.all.last else {
      Issue.record("no partial result")
      return
    }
    #expect(partial.count == 6)
  }

  @Test("ten outages and nothing else end the evaluation with their kind")
  func dead() async throws {
    let bench = Bench(ScriptedModel { _, _ in failure(.languageModelUnavailable) }, concurrency: 2)
    let error = await errorOf { try await bench.evaluate(try program(), rows(0..<500)) }
    #expect(error?.kind == .languageModelUnavailable)
    #expect(bench.model.calls <= 12)
  }

  @Test("calls that fail one after the other end it, though answers from the store come between them")
  func goneInTheMiddle() async throws {
    let answers = MemoryAnswerStore()
    let before = Bench(ScriptedModel(), answers: answers)
    _ = try await before.evaluate(try program(), rows(0..<60).enumerated().filter { $0.offset % 2 == 0 }.map(\.element))
    let bench = Bench(ScriptedModel { _, _ in failure(.timeout) }, concurrency: 2, answers: answers)
    let error = await errorOf { try await bench.evaluate(try program(), rows(0..<60)) }
    #expect(error?.kind == .timeout)
    #expect(error?.message.contains("all failed") == true)
    #expect((12...14).contains(bench.model.calls))
  }

  @Test("outages that take more than half of the rows end it, fewer lower the coverage", arguments: [false, true])
  func halfGone(most: Bool) async throws {
    let bench = Bench(
      ScriptedModel { asked, _ in
        let isLost = difficulty(asked.question) % 10 < (most ? 7 : 3)
        return isLost ? failure(.languageModelUnavailable) : nil
      }, concurrency: 1)
    if most {
      #expect(
        await errorOf { try await bench.evaluate(try program(), rows(0..<60)) }?.kind == .languageModelUnavailable)
    } else {
      let coverage = try await bench.evaluate(try program(), rows(0..<60)).coverage
      #expect(coverage > 0.5 && coverage < 1)
    }
  }

  @Test("fewer rows than that end with nothing judged")
  func deadButShort() async throws {
    let bench = Bench(ScriptedModel { _, _ in failure(.languageModelUnavailable) }, concurrency: 2)
    let result = try await bench.evaluate(try program(), rows(0..<4))
    #expect(result.coverage == 0)
    #expect(result.failed == 4)
    #expect(result.interval == nil)
  }

  @Test("cancelled, it ends soon and says what it had")
  func cancellation() async throws {
    let student = try program()
    let bench = Bench(ScriptedModel(delays: true), concurrency: 2)
    let task = Task { try await bench.evaluate(student, rows(0..<5000)) }
    #expect(await eventually { bench.model.calls > 10 })
    task.cancel()
    #expect(await errorOf { try await task.value }?.kind == .cancelled)
    #expect(bench.model.calls < 4000)
    guard case .evaluationStopped(_, let partial?, let error)? = bench.listener.all.last else {
      Issue.record("no partial result")
      return
    }
    #expect(error.kind == .cancelled)
    #expect(partial.count > 0)
  }

  @Test("a spent budget ends it with what it had")
  func budget() async throws {
    let bench = Bench(concurrency: 4, budget: Budget(Budget.Limits(maxCalls: 15)))
    let error = await errorOf { try await bench.evaluate(try program(), rows(0..<50)) }
    #expect(error?.kind == .budgetExhausted)
    #expect(bench.model.calls == 15)
    guard case .evaluationStopped(_, let partial?, _)? = bench.listener.all.last else {
      Issue.record("no partial result")
      return
    }
    #expect(partial.count > 0 && partial.count <= 15)
    #expect(partial.examples.allSatisfy { $0.error == nil })
  }

  @Test("it says that it starts, then each example once, then that it ended")
  func events() async throws {
    let bench = Bench(concurrency: 1)
    _ = try await bench.evaluate(try program(), rows(0..<3))
    #expect(bench.listener.evaluationEvents == ["started", "example 0", "example 1", "example 2", "finished"])
  }

  @Test("every example is traced under the evaluation's id with the metric's verdict")
  func traces() async throws {
    let bench = Bench()
    let result = try await bench.evaluate(try program(), rows(0..<5))
    let traces = bench.traces.all
    let info = try #require(bench.listener.started.first)
    #expect(traces.count == 5)
    #expect(traces.allSatisfy { $0.runID == info.id && $0.experimentID == "7" })
    #expect(Set(traces.map(\.id)) == Set(result.examples.compactMap(\.traceID)))
    for example in result.examples {
      let trace = try #require(traces.first { $0.id == example.traceID })
      #expect(trace.metadata["row"] == .int(example.row))
      #expect(trace.assessments.map(\.name) == ["exact_match"])
      #expect(trace.assessments.first?.value == .bool(example.score == 1))
    }
  }

  @Test("a row that the metric cannot judge counts as failed, not as an outage")
  func metricFails() async throws {
    var examples = rows(0..<6)
    examples[2]["answer"] = nil
    let bench = Bench(ScriptedModel(answer: { rightAnswer($0.question) }))
    let result = try await bench.evaluate(try program(), examples)
    #expect(result.examples[2].error?.kind == .metricFailed)
    #expect(result.score == 83.33)
    #expect(result.coverage == 1)
    #expect(result.failed == 1)
    #expect(bench.model.calls == 6)
  }

  @Test("a metric that can judge none of ten rows ends the evaluation, with what is wrong")
  func metricNeverWorks() async throws {
    let examples = rows(0..<100).map { row in row.filter { $0 == "question" } }
    let bench = Bench(concurrency: 2)
    let error = await errorOf { try await bench.evaluate(try program(), examples) }
    #expect(error?.kind == .metricFailed)
    #expect(error?.message.contains("answer") == true)
    #expect(bench.model.calls <= 12)
  }

  @Test("within a run an evaluation has the same id whenever the run is done again")
  func ids() throws {
    func info(_ run: String?, _ index: Int) throws -> EvaluationInfo {
      EvaluationInfo(run: run, key: "eval_full", index: index, program: try program(), rows: [], metric: "m")
    }
    #expect(try info("a", 0).id == info("a", 0).id)
    #expect(try info("a", 0).id != info("a", 1).id)
    #expect(try info("a", 0).id != info("b", 0).id)
    #expect(try info(nil, 0).id != info(nil, 0).id)
    #expect(try info("a", 2).name == "eval_full_2")
    #expect(try info("a", 0).id.count == 32)
  }

  @Test("no examples give no score")
  func empty() async throws {
    let result = try await Bench().evaluate(try program(), [])
    #expect(result.score == nil)
    #expect(result.coverage == 0)
    #expect(result.interval == nil)
  }
}

/// Answers with text that has none of the fields.
private struct MuteModel: LanguageModel {
  let identity = "scripted/mute"
  let endpoint = "scripted mute"
  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    ModelReply(texts: ["[[ ## answer ## ]]\nnone at all"])
  }
}
