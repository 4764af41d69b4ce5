import Basics
package import JSON
package import Messages
import Platform
import Synchronization

/// The trace of one execution while it runs: spans are begun and ended from any task.
package final class TraceBuilder: Sendable {
  /// A span that has begun; hand it to `end`, and to `begin` as the parent of others.
  package struct Handle: Sendable {
    package let id: SpanID
    fileprivate let index: Int
  }

  private struct State {
    var spans: [Span] = []
    var usage = TokenUsage()
    var cost: Double? = 0
  }

  package let id: TraceID
  private let state = Mutex(State())

  package init(id: TraceID = .random()) { self.id = id }

  package func begin(
    _ name: String, _ kind: SpanKind, parent: Handle?, inputs: SpanPayload = .none, attributes: JSONObject = [:]
  ) -> Handle {
    let span = Span(
      id: .random(), parent: parent?.id, name: name, kind: kind, start: wallClock(), inputs: inputs,
      attributes: attributes)
    return state.withLock { state in
      state.spans.append(span)
      return Handle(id: span.id, index: state.spans.count - 1)
    }
  }

  /// Ends a span; `error`, where there is one, becomes its status and an `exception` event.
  package func end(
    _ handle: Handle, outputs: SpanPayload = .none, attributes: JSONObject = [:],
    error: (type: String, message: String)? = nil
  ) {
    let now = wallClock()
    state.withLock { state in
      state.spans[handle.index].end = now
      state.spans[handle.index].outputs = outputs
      for (key, value) in attributes { state.spans[handle.index].attributes[key] = value }
      if let error {
        state.spans[handle.index].status = .error(error.message)
        state.spans[handle.index].events.append(
          SpanEvent(
            name: "exception", time: now,
            attributes: ["exception.type": .string(error.type), "exception.message": .string(error.message)]))
      } else {
        state.spans[handle.index].status = .ok
      }
    }
  }

  /// The first span, for what is added to the execution after it ended.
  package var root: Handle? { state.withLock { $0.spans.first.map { Handle(id: $0.id, index: 0) } } }

  /// Counts a model call towards the trace; a nil cost makes the trace's cost unknown.
  package func count(_ usage: TokenUsage, cost: Double?) {
    state.withLock { state in
      state.usage += usage
      if let sum = state.cost, let cost { state.cost = sum + cost } else { state.cost = nil }
    }
  }

  /// The whole as it stands. The root span decides the status.
  package func finish(
    experimentID: String?, runID: String?, assessments: [Assessment] = [], metadata: JSONObject = [:]
  ) -> Trace {
    state.withLock { state in
      Trace(
        id: id, name: state.spans.first?.name ?? "", experimentID: experimentID, runID: runID, spans: state.spans,
        status: state.spans.first?.status ?? .ok, usage: state.usage, cost: state.cost, assessments: assessments,
        metadata: metadata)
    }
  }
}
