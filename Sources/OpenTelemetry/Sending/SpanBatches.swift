package import Failures
package import Traces
package import Tracking

/// The spans of traces in portions that fit into one request.
package struct SpanBatches: Sendable {
  package typealias Batch = [(info: TraceInfo, spans: [Span])]

  private let store: TrackingStore

  package init(store: TrackingStore) { self.store = store }

  /// About how many bytes of spans go into one request.
  private static let bytes = 4 << 20
  /// What a span is taken for, without reading it twice.
  private static let spanBytes = 2000

  /// Hands the portions on, one after the other. A long trace comes in several.
  package func send(_ traces: [TraceInfo], _ post: (Batch) async throws(HoneError) -> Void) async throws(HoneError) {
    var batch: Batch = []
    var size = 0
    for info in traces {
      var token: String?
      repeat {
        let page = try await store.spans(of: info.id, maxBytes: Self.bytes, pageToken: token)
        token = page.nextPageToken
        batch.append((info, page.items))
        size += page.items.count * Self.spanBytes
        if token != nil || size >= Self.bytes {
          try await post(batch)
          batch = []
          size = 0
        }
      } while token != nil
    }
    if !batch.isEmpty { try await post(batch) }
  }
}
