import Synchronization

/// What the prompt model, or the client in its place, was asked to write during a search, and what could not be used.
///
/// Such failures end nothing; they are told once, in the end, with what to do about them.
final class WritingTally: Sendable {
  enum Kind: CaseIterable { case instruction, proposal, summary, description }

  private struct Figures {
    var asked = 0
    var refused: [String: Int] = [:]

    var failed: Int { refused.values.reduce(0, +) }
    /// The commonest reason first.
    var reasons: [String] {
      refused.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.map(\.key)
    }
  }

  private let figures = Mutex<[Kind: Figures]>([:])
  private let quoted = Mutex((instructions: 0, places: Set<String>()))

  func asked(_ kind: Kind) { figures.withLock { $0[kind, default: Figures()].asked += 1 } }

  /// - Parameter reason: what was wrong with the text, in words that follow "it".
  func refused(_ kind: Kind, _ reason: String) {
    figures.withLock { $0[kind, default: Figures()].refused[reason, default: 0] += 1 }
  }

  /// Notes an instruction that gives answers of the data away, by where these stand.
  func quotes(_ places: [String]) {
    quoted.withLock { quoted in
      quoted.instructions += 1
      quoted.places.formUnion(places)
    }
  }

  private var quoteWarnings: [String] {
    quoted.withLock { quoted in
      guard quoted.instructions > 0 else { return [] }
      let many =
        quoted.instructions == 1
        ? "A proposed instruction quotes" : "\(quoted.instructions) proposed instructions quote"
      let places = quoted.places.sorted()
      let shown = places.prefix(3).joined(separator: ", ") + (places.count > 3 ? " …" : "")
      return ["\(many) answers of the data (\(shown)): what they score on those rows says little. A testset tells."]
    }
  }

  /// What to tell of it, a sentence or two for each kind of text that was wanting.
  ///
  /// - Parameters:
  ///   - model: the prompt model's name.
  ///   - consequence: what it means for the result that most instructions were wanting.
  func warnings(model: String, consequence: String = "The result relies on demos.") -> [String] {
    quoteWarnings
      + figures.withLock { figures in
        Kind.allCases.compactMap { kind in
          guard let own = figures[kind], own.failed > 0 else { return nil }
          let why = own.reasons.prefix(3).joined(separator: "; or it ")
          switch kind {
          case .instruction:
            let advice =
              own.failed * 2 > own.asked
              ? " \(model) cannot write instructions: name a stronger promptModel. \(consequence)" : ""
            return "\(own.failed) of \(own.asked) instructions could not be used: it \(why).\(advice)"
          case .proposal:
            return "\(own.failed) of \(own.asked) texts of the client's proposer could not be used: it \(why)."
          case .summary: return "\(own.failed) of \(own.asked) notes on the data could not be used: it \(why)."
          case .description: return "The description of the program could not be used: it \(why)."
          }
        }
      }
  }
}
