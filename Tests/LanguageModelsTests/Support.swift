import Failures
import JSON
import LanguageModels
import Messages
import Synchronization

/// A model that answers as a closure says and counts its calls.
final class ScriptedModel: LanguageModel {
  let identity: String
  let endpoint: String
  let isElastic: Bool
  let splitsChoices: Bool
  private let script: @Sendable (_ request: ModelRequest, _ call: Int) async throws(ModelFailure) -> ModelReply
  private let counts = Mutex((calls: 0, inFlight: 0, most: 0, cancelled: 0))

  init(
    identity: String = "scripted", endpoint: String = "scripted", isElastic: Bool = false, splitsChoices: Bool = false,
    _ script: @escaping @Sendable (_ request: ModelRequest, _ call: Int) async throws(ModelFailure) -> ModelReply = {
      _, _ in ModelReply(texts: ["yes"], usage: TokenUsage(inputTokens: 10, outputTokens: 5))
    }
  ) {
    self.identity = identity
    self.endpoint = endpoint
    self.isElastic = isElastic
    self.splitsChoices = splitsChoices
    self.script = script
  }

  var calls: Int { counts.withLock { $0.calls } }
  var mostInFlight: Int { counts.withLock { $0.most } }
  var cancelled: Int { counts.withLock { $0.cancelled } }

  func complete(_ request: ModelRequest) async throws(ModelFailure) -> ModelReply {
    let call = counts.withLock { counts in
      counts.calls += 1
      counts.inFlight += 1
      counts.most = max(counts.most, counts.inFlight)
      return counts.calls
    }
    defer {
      counts.withLock { counts in
        counts.inFlight -= 1
        if Task.isCancelled { counts.cancelled += 1 }
      }
    }
    return try await script(request, call)
  }
}

/// A clock that stands still but for the pauses taken, which it notes, and for what a test adds.
final class FakeTime: Sendable {
  private let state = Mutex((now: 0.0, pauses: [Double](), readings: 0))
  let random: Double

  init(random: Double = 0.5) { self.random = random }

  var pauses: [Double] { state.withLock { $0.pauses } }
  /// How often it was looked at.
  var readings: Int { state.withLock { $0.readings } }
  func advance(_ seconds: Double) { state.withLock { $0.now += seconds } }

  var pacing: Pacing {
    Pacing(
      now: {
        self.state.withLock { state in
          state.readings += 1
          return state.now
        }
      },
      sleep: { seconds throws(CancellationError) in
        if Task.isCancelled { throw CancellationError() }
        self.state.withLock { state in
          state.now += seconds
          state.pauses.append(seconds)
        }
      },
      random: { self.random })
  }
}

/// Opens once; those who wait go through then. Heeds cancellation.
final class Gate: Sendable {
  private let isOpen = Mutex(false)
  func open() { isOpen.withLock { $0 = true } }

  func pass() async throws(ModelFailure) {
    while !isOpen.withLock({ $0 }) {
      do { try await Task.sleep(for: .milliseconds(1)) } catch {
        throw ModelFailure(HoneError(.cancelled, "cancelled"), retry: .never)
      }
    }
  }
}

/// Waits until something holds; false if it does not within thirty seconds.
func eventually(_ condition: () -> Bool) async -> Bool {
  let end = ContinuousClock.now + .seconds(30)
  while ContinuousClock.now < end {
    if condition() { return true }
    try? await Task.sleep(for: .milliseconds(1))
  }
  return condition()
}

func prompt(_ text: String = "hello") -> Prompt { Prompt([ChatMessage(.user, text)]) }

func failure(_ kind: FailureKind, _ retry: RetryAdvice, _ message: String = "It failed.") -> ModelFailure {
  ModelFailure(HoneError(kind, message), retry: retry)
}

/// A client with limiter, store, clock and knowledge of the model's times of its own.
func client(
  _ model: any LanguageModel, _ change: (inout ModelConfiguration) -> Void = { _ in },
  answers: any AnswerStore = MemoryAnswerStore(), limiter: AdaptiveLimiter = AdaptiveLimiter(),
  pacing: Pacing = .real, times: ResponseTimes = ResponseTimes()
) -> ModelClient {
  var configuration = ModelConfiguration(model: "openai/test")
  change(&configuration)
  return ModelClient(
    model: model, configuration: configuration, answers: answers, limiter: limiter, pacing: pacing, times: times)
}

/// The error that `body` throws, or nil.
func errorOf(_ body: () async throws(HoneError) -> some Any) async -> HoneError? {
  do throws(HoneError) {
    _ = try await body()
    return nil
  } catch {
    return error
  }
}

/// A value behind a lock that tasks may share.
final class Locked<Value: Sendable>: Sendable {
  private let value: Mutex<Value>

  init(_ value: Value) { self.value = Mutex(value) }

  func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
    value.withLock { (value: inout sending Value) -> Result in
      var copy = value
      defer { value = copy }
      return body(&copy)
    }
  }
}
