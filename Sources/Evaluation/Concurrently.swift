package import Failures

/// Does pieces of work at the same time and returns what they gave, in the order of the pieces.
///
/// A failure ends the others at once. Not so a spent budget: what the others have under way is paid for, so they are
/// let end, and their answers are kept.
package func concurrently<Piece: Sendable, Value: Sendable>(
  _ pieces: [Piece], _ work: @escaping @Sendable (Int, Piece) async throws(HoneError) -> Value
) async throws(HoneError) -> [Value] {
  do {
    return try await withThrowingTaskGroup(of: (Int, Result<Value, HoneError>).self) { group in
      for (index, piece) in pieces.enumerated() {
        group.addTask { (index, await attempt { () async throws(HoneError) in try await work(index, piece) }) }
      }
      var values: [Value?] = Array(repeating: nil, count: pieces.count)
      var spent: HoneError?
      for try await (index, outcome) in group {
        switch outcome {
        case .success(let value): values[index] = value
        case .failure(let error) where error.kind == .budgetExhausted: spent = spent ?? error
        case .failure(let error): throw error
        }
      }
      if let spent { throw spent }
      return values.compactMap { $0 }
    }
  } catch {
    throw HoneError(wrapping: error)
  }
}

/// What work came to, as a value.
package func attempt<Value: Sendable>(
  _ work: () async throws(HoneError) -> Value
) async -> Result<Value, HoneError> {
  do throws(HoneError) {
    return .success(try await work())
  } catch {
    return .failure(error)
  }
}
