package import Failures
package import JSON
import Platform
import Synchronization

/// How much a notification matters when the peer does not read.
package enum Delivery: Sendable, Hashable {
  /// Not dropped unless the peer is hopelessly behind: for the few that begin or end something.
  case always
  /// Takes the place of the waiting one of that key; dropped when there is no room: progress.
  case latest(key: String)
  /// Dropped when there is no room: logs.
  case droppable
}

/// One peer of a JSON-RPC 2.0 conversation; both sides may ask.
///
/// - Requests are handed to the handler in the order in which they came and worked on concurrently, at most
///   `limits.requestsInFlight` of a lane at once; more wait in a bounded backlog, and beyond it reading stops.
/// - Work which waits for the peer goes on: responses and `$/cancelRequest` overtake the backlog, and so do requests of
///   other lanes; and as long as the peer owes answers it is read from, further requests being refused at last.
/// - Answers are never dropped; when the peer does not read them, nothing more is started or read.
/// - After the peer's end of input everything outstanding is answered, then the connection closes. A peer that is
///   gone altogether cancels its requests.
/// - Nothing is written before the peer's first byte has told the framing, unless the framing was given.
package final class Connection: Sendable, ByteStreamDelegate {
  /// From this size on memory is given back after a message, or after a connection that held so much.
  private static let largeMessage = 1 << 20

  package let limits: ConnectionLimits
  /// How many bytes the stream is given ahead of what it has written.
  private let streamAhead: Int
  private let stream: any ByteStream
  private let handler: any RequestHandler
  private let state: Mutex<ConnectionState>
  private let unsent: UnsentOutput
  /// Whether nothing that has not begun is begun any more.
  private let isEnding = Atomic(false)
  /// Who waits for the connection's end.
  private let waiters = Mutex<[CheckedContinuation<Void, Never>]>([])

  /// - Parameters:
  ///   - framing: the framing to use from the start, where it is not the peer who begins.
  ///   - unsent: the bound on what waits to be read, shared with other connections.
  package init(
    _ stream: any ByteStream, handler: any RequestHandler, limits: ConnectionLimits = ConnectionLimits(),
    framing: Framing? = nil, unsent: UnsentOutput = .shared
  ) {
    self.stream = stream
    self.handler = handler
    self.limits = limits
    self.unsent = unsent
    streamAhead = min(256 << 10, limits.outgoing / 2)
    state = Mutex(ConnectionState(limits: limits, framing: framing))
  }

  /// Begins to read.
  package func start() {
    unsent.add(self)
    stream.start(self)
  }

  /// Who is at the other end, for logs.
  package var peer: String { stream.peer }

  /// The framing, once the peer's first byte has told it.
  package var framing: Framing? { state.withLock { $0.framing.framing } }

  package var isClosed: Bool { state.withLock { $0.isClosed } }

  /// Requests that have not been answered yet.
  package var openRequests: Int { state.withLock { $0.calls.count } }

  /// What waits for the peer to read it, and since when the peer has read nothing.
  var unsentOutput: UnsentOutput.Holding {
    UnsentOutput.Holding(bytes: state.withLock { $0.outbox.bytes + $0.streamBytes }, lastTaken: stream.lastTaken)
  }

  // MARK: Ending

  /// Refuses what has not begun and whatever comes from now on: the service is ending. Work under way goes on.
  package func refuseFurther() {
    isEnding.store(true, ordering: .relaxed)
    state.withLock { $0.refuseFurther() }
    settle()
  }

  /// Reads nothing more, answers what is outstanding, then closes.
  ///
  /// - Parameter cancelling: whether work under way is cancelled (answered with -32802) rather than awaited.
  package func close(cancelling: Bool = false) {
    let tasks = state.withLock { state in
      state.inputEnded = true
      state.inputUsedUp = true
      return cancelling ? state.cancelAll() : []
    }
    for task in tasks { task.cancel() }
    settle()
  }

  /// Closes at once; work under way is cancelled and its answers are lost.
  package func abort() { stream.abort() }

  /// Returns when the connection is closed and the last of its works has returned.
  package func waitUntilFinished() async {
    await withCheckedContinuation { continuation in
      waiters.withLock { $0.append(continuation) }
      resumeEndWaiters()
    }
  }

  private func resumeEndWaiters() {
    guard state.withLock({ $0.isClosed && $0.runningTasks == 0 && !$0.isPumping }) else { return }
    let end = waiters.withLock { waiters in
      defer { waiters = [] }
      return waiters
    }
    for waiter in end { waiter.resume() }
  }

  /// Cancels a request of the peer's that is to get no answer, as the peer's protocol wants it.
  package func cancelSilently(_ id: RequestID) {
    state.withLock { $0.cancelSilently(id) }?.cancel()
    settle()
  }

  // MARK: Telling

  /// Sends a notification without waiting; false if it was dropped.
  @discardableResult
  package func notify(_ method: String, _ params: JSONObject, delivery: Delivery = .always) -> Bool {
    let text = Message.notification(method: method, params: params).json.encoded()
    let sent = state.withLock { $0.notify(text, delivery: delivery) }
    if sent { flush() }
    return sent
  }

  /// Sends a notification, replacing a waiting one of the same key.
  @discardableResult
  package func notify(_ method: String, _ params: JSONObject, coalesceKey: String) -> Bool {
    notify(method, params, delivery: .latest(key: coalesceKey))
  }

  // MARK: Asking

  /// Sends a request and awaits its result.
  ///
  /// A cancelled task, or an answer that does not come within `timeout`, tells the peer so with
  /// `$/cancelRequest`; an answer that comes later is passed over.
  package func request(
    _ method: String, _ params: JSONObject = JSONObject(), timeout: Duration? = nil
  ) async throws(CallFailure) -> JSONValue {
    let id = state.withLock { $0.outgoing.makeID() }
    let text = Message.request(id: RequestID(id), method: method, params: params).json.encoded()
    var clock: Task<Void, Never>?
    if let timeout {
      clock = Task { [weak self] in
        guard (try? await Task.sleep(for: timeout)) != nil else { return }
        self?.giveUp(id, .timedOut(timeout))
      }
    }
    let result: Result<JSONValue, CallFailure> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (refusal, hadStopped): (CallFailure?, Bool) = state.withLock { state in
          if state.isClosed || state.inputEnded { return (.connectionClosed, false) }
          if Task.isCancelled { return (.cancelled, false) }
          state.outgoing.add(id, continuation)
          state.outbox.put(text)
          return (nil, state.backlogIsFull)
        }
        if let refusal {
          continuation.resume(returning: .failure(refusal))
        } else {
          flush()
          if hadStopped { pump() }
        }
      }
    } onCancel: {
      giveUp(id, .cancelled)
    }
    clock?.cancel()
    return try result.get()
  }

  private func giveUp(_ id: Int, _ failure: CallFailure) {
    guard let continuation = state.withLock({ $0.outgoing.take(id) }) else { return }
    notify("$/cancelRequest", ["id": .int(id)])
    continuation.resume(returning: .failure(failure))
  }

  // MARK: The stream's calls

  package func streamReceived(_ bytes: UnsafeRawBufferPointer) {
    state.withLock { state in
      if !state.inputEnded { state.framing.feed(bytes) }
    }
    pump()
  }

  package func streamInputEnded() {
    state.withLock { $0.inputEnded = true }
    pump()
    handler.inputEnded(self)
  }

  package func streamDrained() {
    state.withLock { $0.streamBytes = 0 }
    settle()
    pump()
  }

  package func streamClosed(_ error: HoneError?) {
    let (held, closed, change) = state.withLock { state in
      let held = state.outbox.bytes + state.streamBytes + state.framing.bufferedBytes
      let closed = state.close()
      return (held, closed, state.unsentChange())
    }
    unsent.remove(self, change)
    if held >= Self.largeMessage { Memory.giveBackSoon() }
    for task in closed.tasks { task.cancel() }
    for caller in closed.callers { caller.resume(returning: .failure(.connectionClosed)) }
    handler.connectionClosed(self)
    resumeEndWaiters()
  }

  // MARK: The pump

  /// Reads messages and starts work as long as there is something to do and room to do it in. Only one
  /// thread at a time is in here, which is what keeps the handler's calls in order.
  private func pump(isResuming: Bool = false) {
    let mine = state.withLock { state in
      if isResuming { return true }
      if state.isPumping { return false }
      state.isPumping = true
      return true
    }
    guard mine else { return }
    while true {
      switch state.withLock({ $0.nextStep() }) {
      case .run(let work): run(work)
      case .parse(let text) where text.count < ComputationThreads.longText: take(text)
      case .parse(let text):
        pauseReading()
        Task(executorPreference: ComputationThreads.data) {
          self.take(text)
          if text.count >= Self.largeMessage { Memory.giveBackSoon() }
          self.pump(isResuming: true)
        }
        return
      case .idle:
        settle()
        resumeEndWaiters()
        return
      }
    }
  }

  private func take(_ text: [UInt8]) {
    let incoming = Incoming(parsing: text, maximumBatch: limits.batchEntries)
    let effects = state.withLock { $0.accept(incoming, bytes: text.count, lane: handler.lane) }
    for effect in effects {
      switch effect {
      case .cancel(let task): task.cancel()
      case .resume(let continuation, let result): continuation.resume(returning: result)
      }
    }
  }

  private func run(_ work: ConnectionState.Work) {
    switch work {
    case .notification(let method, let params):
      handler.receive(IncomingNotification(method: method, params: params, connection: self))
    case .request(let number, let id, let method, let params):
      switch handler.plan(IncomingRequest(id: id, method: method, params: params, connection: self)) {
      case .answer(let value): complete(number, id, .success(value))
      case .failure(let error): complete(number, id, .failure(error))
      case .work(let work):
        state.withLock { $0.runningTasks += 1 }
        let task = Task {
          if isEnding.load(ordering: .relaxed) {
            complete(number, id, .failure(.ending))
          } else {
            do {
              let value = try await work()
              await apart(where: value.isLarge(beyond: ComputationThreads.longText)) {
                // What nobody waits for any more is not written out.
                complete(
                  number, id,
                  Task.isCancelled
                    ? .failure(RPCError(HoneError(.cancelled, "The request was cancelled."))) : .success(value))
              }
            } catch {
              complete(number, id, .failure(RPCError(error)))
            }
          }
          let isLast = state.withLock { state in
            state.runningTasks -= 1
            return state.runningTasks == 0 && state.isClosed
          }
          if isLast { resumeEndWaiters() }
        }
        if state.withLock({ $0.attach(task, to: number) }) { task.cancel() }
      }
    }
  }

  private func complete(_ number: Int, _ id: RequestID, _ outcome: Result<JSONValue, RPCError>) {
    var answer: ConnectionState.Answer
    switch outcome {
    case .success(let value):
      answer = .init(text: Message.result(id: id, value).json.encoded())
      if answer.text.count > limits.message {
        let message = "The answer has \(answer.text.count) bytes, more than the \(limits.message) that fit a message."
        answer.text = Message.failure(id: id, RPCError(.requestFailed, message)).json.encoded()
      }
    case .failure(let error):
      answer = .init(text: Message.failure(id: id, error).json.encoded(), errorData: error.data)
    }
    let isPumping = state.withLock { state in
      state.complete(number, with: answer)
      return state.isPumping
    }
    // A pump that is running goes on by itself, and writes when it is done.
    if isPumping { flush(unlessPumping: true) } else { pump() }
  }

  // MARK: Writing

  private func flush(unlessPumping: Bool = false) {
    let change = state.withLock { state in
      if unlessPumping, state.isPumping, state.isReading, state.outbox.bytes < 64 << 10 { return 0 }
      write(&state)
      return state.unsentChange()
    }
    unsent.change(by: change)
  }

  /// Hands to the stream what it can take. Under the lock, so that the order holds.
  private func write(_ state: inout ConnectionState) {
    guard let framing = state.framing.framing, !state.isClosed else { return }
    while !state.outbox.isEmpty, state.streamBytes < streamAhead {
      state.streamBytes = stream.write(state.outbox.take(about: streamAhead, framing: framing))
    }
  }

  private func pauseReading() {
    let change = state.withLock { state in
      write(&state)
      if state.isReading {
        state.isReading = false
        stream.setReading(false)
      }
      return state.unsentChange()
    }
    unsent.change(by: change)
  }

  /// Writes, reads or stops reading, and ends, as the state calls for.
  private func settle() {
    let (callers, change) = state.withLock { state in
      write(&state)
      if state.isFinished {
        state.finishing = true
        stream.finish()
      } else if !state.isPumping, state.mayRead != state.isReading, !state.isClosed {
        state.isReading = state.mayRead
        stream.setReading(state.isReading)
      }
      // Nobody can answer our requests any more.
      let callers = state.inputUsedUp && !state.outgoing.isEmpty ? state.outgoing.takeAll() : []
      return (callers, state.unsentChange())
    }
    unsent.change(by: change)
    for caller in callers { caller.resume(returning: .failure(.connectionClosed)) }
  }
}
