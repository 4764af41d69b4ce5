import JSON

/// What a connection knows, and what follows from it: a value without input or output, which
/// `Connection` guards with a lock and whose decisions it carries out.
struct ConnectionState: Sendable {
  typealias CallNumber = Int

  enum CancelSource: Sendable {
    case client, server
    /// The client, by a protocol in which a cancelled request gets no answer.
    case silently
  }

  /// A request of the peer's that has not been answered yet.
  struct Call: Sendable {
    let id: RequestID
    let lane: RequestLane
    /// The batch it came in and its place there.
    var batch: (number: Int, place: Int)?
    var started = false
    var cancelledBy: CancelSource?
    var task: Task<Void, Never>?
  }

  /// A batch some of whose requests have not been answered yet.
  struct Batch: Sendable {
    var open: Int
    var answers: [[UInt8]?]
    var bytes = 0
  }

  enum Work: Sendable {
    case request(CallNumber, RequestID, method: String, params: JSONObject)
    case notification(method: String, params: JSONObject)
  }

  private struct Waiting: Sendable {
    var work: Work
    /// The bytes of its message that it accounts for.
    var cost: Int
    /// How many came before it.
    var arrival: Int
  }

  /// Requests of one lane that wait, and how many have begun.
  private struct Lane: Sendable {
    var waiting = Queue<Waiting>()
    var started = 0
  }

  /// What the pump does next.
  enum Step: Sendable {
    case parse([UInt8])
    case run(Work)
    /// Nothing now; the pump has stopped.
    case idle
  }

  let limits: ConnectionLimits
  var framing: MessageFraming
  var outbox = Outbox()
  /// Bytes handed to the stream that it has not written yet, as far as known.
  var streamBytes = 0
  /// How much of both is counted among what waits on all connections.
  private var countedUnsent = 0
  /// One thread at a time reads messages and starts work; the others leave it to that one.
  var isPumping = false
  var isReading = true
  /// No more bytes will come, or none will be looked at.
  var inputEnded = false
  /// The framing has yielded its last event.
  var inputUsedUp = false
  var finishing = false
  /// Requests are no longer begun.
  private var isEnding = false
  var isClosed = false
  var runningTasks = 0
  var outgoing = OutgoingCalls()
  private(set) var calls: [CallNumber: Call] = [:]
  private var numbers: [RequestID: CallNumber] = [:]
  private var nextNumber = 0
  private var batches: [Int: Batch] = [:]
  private var lanes = Array(repeating: Lane(), count: RequestLane.allCases.count)
  private var arrivals = 0
  private var backlog = 0

  init(limits: ConnectionLimits, framing: Framing?) {
    self.limits = limits
    self.framing = MessageFraming(limits: limits, framing: framing)
  }

  // MARK: The pump

  private var outgoingIsFull: Bool { outbox.bytes + streamBytes >= limits.outgoing }

  var backlogIsFull: Bool { backlog >= limits.backlog }

  /// A full backlog ends the reading, unless the peer owes us answers, which are somewhere behind it.
  private var hasBacklogRoom: Bool { !backlogIsFull || !outgoing.isEmpty }

  /// Whether more input may be looked at.
  var mayRead: Bool { !inputEnded && !outgoingIsFull && hasBacklogRoom }

  mutating func nextStep() -> Step {
    guard !isClosed else { return stop() }
    if let work = nextWork() { return .run(work) }
    guard !outgoingIsFull, hasBacklogRoom, !inputUsedUp else { return stop() }
    while true {
      var event = framing.next()
      if event == nil, inputEnded {
        event = framing.finish()
        inputUsedUp = event == nil
      }
      switch event {
      case .message(let text): return .parse(text)
      case .refused(let error): send(.failure(id: .null, error))
      case .fatal(let error):
        send(.failure(id: .null, error))
        inputEnded = true
        inputUsedUp = true
        return stop()
      case nil: return stop()
      }
    }
  }

  private mutating func stop() -> Step {
    isPumping = false
    return .idle
  }

  /// What came first of that which waits and may begin.
  private mutating func nextWork() -> Work? {
    var earliest: (lane: RequestLane, arrival: Int)?
    for lane in RequestLane.allCases {
      while let first = lanes[lane.rawValue].waiting.first {
        if case .request(let number, _, _, _) = first.work {
          if calls[number] == nil {
            // Cancelled, and answered, while it waited.
            popWaiting(lane)
            continue
          }
          guard lanes[lane.rawValue].started < limits.requestsInFlight, !outgoingIsFull else { break }
        }
        if first.arrival < earliest?.arrival ?? .max { earliest = (lane, first.arrival) }
        break
      }
    }
    guard let lane = earliest?.lane, let work = popWaiting(lane) else { return nil }
    if case .request(let number, _, _, _) = work {
      calls[number]?.started = true
      lanes[lane.rawValue].started += 1
    }
    return work
  }

  @discardableResult
  private mutating func popWaiting(_ lane: RequestLane) -> Work? {
    guard let entry = lanes[lane.rawValue].waiting.popFirst() else { return nil }
    backlog -= entry.cost
    return entry.work
  }

  /// Whether nothing is left to do but to write what is queued and close.
  var isFinished: Bool {
    inputUsedUp && !isPumping && lanes.allSatisfy(\.waiting.isEmpty) && calls.isEmpty && !finishing && !isClosed
      // Without a framing nothing can be written.
      && (outbox.isEmpty || framing.framing == nil)
  }

  // MARK: What comes in

  /// What has to be done outside the lock about a message.
  enum Effect: Sendable {
    case cancel(Task<Void, Never>)
    case resume(OutgoingCalls.Continuation, Result<JSONValue, CallFailure>)
  }

  /// - Parameter lane: the lane of a request with that method and those parameters.
  mutating func accept(
    _ incoming: Incoming, bytes: Int, lane: (String, JSONObject) -> RequestLane
  ) -> [Effect] {
    guard !isClosed else { return [] }
    switch incoming {
    case .single(let message):
      return accept(message, cost: bytes, batch: nil, lane)
    case .batch(let messages):
      let number = nextNumber
      nextNumber += 1
      batches[number] = Batch(open: messages.count, answers: Array(repeating: nil, count: messages.count))
      var effects: [Effect] = []
      for (place, message) in messages.enumerated() {
        effects += accept(message, cost: bytes / messages.count, batch: (number, place), lane)
      }
      return effects
    }
  }

  private mutating func accept(
    _ message: Message, cost: Int, batch: (number: Int, place: Int)?, _ lane: (String, JSONObject) -> RequestLane
  ) -> [Effect] {
    switch message {
    case .request(let id, let method, let params):
      guard id.isNull || numbers[id] == nil else {
        let error = RPCError(.invalidRequest, "A request with the id \(id) is still being worked on.")
        answer(.failure(id: id, error), batch: batch)
        return []
      }
      guard !isEnding else {
        answer(.failure(id: id, .ending), batch: batch)
        return []
      }
      guard backlog < limits.backlogWhileAsking else {
        let message = "\(backlog) bytes of requests wait already: ask again when some of them are answered."
        answer(.failure(id: id, RPCError(.requestFailed, message)), batch: batch)
        return []
      }
      let number = nextNumber
      nextNumber += 1
      let lane = lane(method, params)
      calls[number] = Call(id: id, lane: lane, batch: batch)
      if !id.isNull { numbers[id] = number }
      wait(.request(number, id, method: method, params: params), lane, cost: cost)
      return []
    case .notification(let method, let params):
      defer { answer(nil, batch: batch) }
      if method == "$/cancelRequest" { return cancel(params) }
      if backlog < limits.backlogWhileAsking { wait(.notification(method: method, params: params), .call, cost: cost) }
      return []
    case .result(let id, let value):
      answer(nil, batch: batch)
      return outgoing.take(id).map { [.resume($0, .success(value))] } ?? []
    case .failure(let id, let error):
      answer(nil, batch: batch)
      return outgoing.take(id).map { [.resume($0, .failure(.refused(error)))] } ?? []
    case .refused(let id, let error):
      answer(.failure(id: id, error), batch: batch)
      return []
    case .ignored:
      answer(nil, batch: batch)
      return []
    }
  }

  private mutating func wait(_ work: Work, _ lane: RequestLane, cost: Int) {
    // A constant share, so that a flood of tiny messages counts too.
    let cost = cost + 64
    backlog += cost
    lanes[lane.rawValue].waiting.append(Waiting(work: work, cost: cost, arrival: arrivals))
    arrivals += 1
  }

  // MARK: Cancelling

  private mutating func cancel(_ params: JSONObject) -> [Effect] {
    guard let value = params["id"], let id = RequestID(value), let number = numbers[id] else { return [] }
    return cancel(number, by: .client).map { [.cancel($0)] } ?? []
  }

  /// Marks a call as cancelled; answers its task, which the caller then cancels. One that has not begun is
  /// answered here and now.
  private mutating func cancel(_ number: CallNumber, by source: CancelSource) -> Task<Void, Never>? {
    guard let call = calls[number] else { return nil }
    if call.cancelledBy == nil { calls[number]?.cancelledBy = source }
    guard call.started else {
      complete(number, with: nil)
      return nil
    }
    return call.task
  }

  /// Cancels the request of that id, which will not be answered; answers its task if it has begun.
  mutating func cancelSilently(_ id: RequestID) -> Task<Void, Never>? {
    numbers[id].flatMap { cancel($0, by: .silently) }
  }

  /// Cancels everything the peer asked for, on the server's part.
  mutating func cancelAll() -> [Task<Void, Never>] {
    calls.keys.sorted().compactMap { cancel($0, by: .server) }
  }

  /// Refuses all requests that have not begun, and those that come from now on.
  mutating func refuseFurther() {
    isEnding = true
    for number in calls.keys.sorted() where calls[number]?.started == false {
      complete(number, with: Answer(text: Message.failure(id: calls[number]?.id ?? .null, .ending).json.encoded()))
    }
  }

  /// Notes the task of a call. If the call was cancelled before it had one, it is to be cancelled now.
  mutating func attach(_ task: Task<Void, Never>, to number: CallNumber) -> Bool {
    guard let call = calls[number] else { return isClosed }
    calls[number]?.task = task
    return call.cancelledBy != nil
  }

  /// Forgets everything; answers the tasks and callers that have to hear of it.
  mutating func close() -> (tasks: [Task<Void, Never>], callers: [OutgoingCalls.Continuation]) {
    isClosed = true
    inputEnded = true
    inputUsedUp = true
    let tasks = calls.values.compactMap(\.task)
    calls = [:]
    numbers = [:]
    batches = [:]
    lanes = Array(repeating: Lane(), count: RequestLane.allCases.count)
    outbox = Outbox()
    framing = MessageFraming(limits: limits)
    backlog = 0
    streamBytes = 0
    return (tasks, outgoing.takeAll())
  }

  // MARK: What goes out

  /// By how much what waits to be written has changed since it was last asked; small changes are kept for later.
  mutating func unsentChange() -> Int {
    let change = outbox.bytes + streamBytes - countedUnsent
    guard abs(change) >= 64 << 10 || change < 0 && countedUnsent + change == 0 else { return 0 }
    countedUnsent += change
    return change
  }

  /// Answers a call with a message that was made ready outside the lock; a cancelled call is answered
  /// as such, and keeps the error's data (what had been finished, say).
  mutating func complete(_ number: CallNumber, with answer: Answer?) {
    guard let call = calls.removeValue(forKey: number) else { return }
    if !call.id.isNull { numbers[call.id] = nil }
    if call.started { lanes[call.lane.rawValue].started -= 1 }
    guard let source = call.cancelledBy else {
      if let answer { self.answer(answer, batch: call.batch, id: call.id) }
      return
    }
    let error =
      switch source {
      case .client: RPCError(.requestCancelled, "The request was cancelled.", data: answer?.errorData)
      case .server: RPCError(.serverCancelled, "The server cancelled the request.", data: answer?.errorData)
      case .silently: nil as RPCError?
      }
    self.answer(error.map { .failure(id: call.id, $0) }, batch: call.batch)
  }

  /// The text of an answer.
  struct Answer: Sendable {
    var text: [UInt8]
    /// The data of the error, if it is one.
    var errorData: JSONValue?
  }

  /// Answers one message, or with nil counts it as one that has no answer.
  private mutating func answer(_ message: Message?, batch: (number: Int, place: Int)?) {
    if let message {
      var id = RequestID.null
      if case .failure(let failed, _) = message { id = failed }
      answer(Answer(text: message.json.encoded()), batch: batch, id: id)
    } else if let batch {
      closeEntry(of: batch.number)
    }
  }

  private mutating func answer(_ answer: Answer, batch: (number: Int, place: Int)?, id: RequestID) {
    guard let (number, place) = batch else {
      outbox.put(answer.text)
      return
    }
    var text = answer.text
    if let held = batches[number]?.bytes, held + text.count > limits.batchAnswer {
      let error = RPCError(.requestFailed, "The answer to this batch would pass \(limits.batchAnswer) bytes.")
      text = Message.failure(id: id, error).json.encoded()
    }
    batches[number]?.bytes += text.count
    batches[number]?.answers[place] = text
    closeEntry(of: number)
  }

  private mutating func closeEntry(of number: Int) {
    batches[number]?.open -= 1
    guard let batch = batches[number], batch.open == 0 else { return }
    batches[number] = nil
    let answers = batch.answers.compactMap(\.self)
    guard !answers.isEmpty else { return }
    var text: [UInt8] = [UInt8(ascii: "[")]
    text.reserveCapacity(batch.bytes + answers.count + 1)
    for (index, answer) in answers.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      text.append(contentsOf: answer)
    }
    text.append(UInt8(ascii: "]"))
    outbox.put(text)
  }

  private mutating func send(_ message: Message) { outbox.put(message.json.encoded()) }

  /// Queues a notification; false if it was dropped for want of room.
  mutating func notify(_ text: [UInt8], delivery: Delivery) -> Bool {
    guard !isClosed, !finishing else { return false }
    let waitingBytes = outbox.bytes + streamBytes
    switch delivery {
    case .always:
      // Room for the few that matter even where the rest has been stopped, but not for a flood.
      guard waitingBytes < 2 * limits.outgoing else { return false }
      outbox.put(text)
    case .latest(let key):
      // One a key, so that the newest can be kept.
      guard waitingBytes < 2 * limits.outgoing || outbox.holds(key) else { return false }
      outbox.put(text, key: key)
    case .droppable:
      guard waitingBytes < limits.outgoing else { return false }
      outbox.put(text)
    }
    return true
  }

}
