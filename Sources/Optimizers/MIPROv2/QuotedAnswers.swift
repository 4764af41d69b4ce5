import Basics
import Evaluation
import JSON
import Programs
import RowStorage

/// Answers of the data that an instruction gives away: what it scores on those rows says little.
///
/// Labels that many rows share, and short texts, stand in instructions by right.
struct QuotedAnswers {
  /// The answers that one row alone has, as they are compared, with where it stands.
  private var places: [String: String] = [:]

  private static let leastLength = 12
  private static let mostRows = 20_000

  init(_ task: CompileTask) {
    guard let fields = task.metric.comparedFields else { return }
    let outputs = task.student.module.outputs.map(\.name)
    var repeated: Set<String> = []
    for (name, rows) in [("trainset", task.trainset), ("valset", task.valset ?? [])] {
      let columns = Set(rows.first?.keys ?? [])
      guard let label = fields.label(outputs: outputs, columns: columns) else { continue }
      for (place, row) in rows.prefix(Self.mostRows).enumerated() {
        guard let answer = row[label] else { continue }
        let text = comparableText(answer.stringValue ?? answer.text())
        // A number, a name or a sentence; no single word.
        guard text.count >= Self.leastLength, text.contains(" "), !repeated.contains(text) else { continue }
        let known = places[text]
        // The same row may stand in both sets.
        if let known, known.hasPrefix("\(name)[") {
          places[text] = nil
          repeated.insert(text)
        } else if known == nil {
          places[text] = "\(name)[\(place)]"
        }
      }
    }
  }

  /// Where the answers stand that the instruction quotes, and that one before it does not.
  func places(in instruction: String, beside before: String) -> [String] {
    guard !places.isEmpty else { return [] }
    let (text, known) = (comparableText(instruction), comparableText(before))
    return places.filter { text.contains($0.key) && !known.contains($0.key) }.map(\.value).sorted()
  }
}
