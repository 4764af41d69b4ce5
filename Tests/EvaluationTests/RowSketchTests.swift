import JSON
import Testing

@testable import Datasets

@Suite("Rows that repeat others")
struct RowSketchTests {
  private static let text =
    "A shop sells 48 clips in April and half as many in May; how many clips did it sell altogether in the two months?"

  private func sketch(_ text: String) -> RowSketch { RowSketch(["question": .string(text)], names: ["question"]) }

  @Test("case and spaces make no other row")
  func same() {
    #expect(sketch("What is  asked?\n").exact == sketch("what IS asked?").exact)
    #expect(sketch("What is asked?").exact != sketch("What was asked?").exact)
    // Inputs count, what else a row has does not.
    let row: JSONObject = ["question": .string(Self.text), "answer": "72"]
    #expect(RowSketch(row, names: ["question"]) == sketch(Self.text))
  }

  @Test(
    "a few other characters leave a row near",
    arguments: [
      ("clips did it sell", "clips did she sell"), ("shop", "stop"), ("; how many", ". How many"),
      ("altogether ", ""),
    ])
  func near(from: String, to: String) {
    #expect(sketch(Self.text).isNear(sketch(Self.text.replacing(from, with: to))))
  }

  @Test("other numbers, other texts and short ones are not near")
  func far() {
    #expect(!sketch(Self.text).isNear(sketch(Self.text.replacing("48", with: "96"))))
    #expect(
      !sketch(Self.text).isNear(sketch("Natalia walks to the shop 48 times a year, and back again; how far is that?")))
    #expect(!sketch("What is up?").isNear(sketch("What is on?")))
  }

  @Test("an index finds the first row that is the same, else one that is near")
  func index() {
    var index = SketchIndex()
    for (place, text) in ["one question", Self.text, "another question", Self.text].enumerated() {
      index.add(sketch(text), row: place)
    }
    #expect(index.match(sketch("ANOTHER question"))?.row == 2)
    #expect(index.match(sketch(Self.text))?.row == 1)
    let near = index.match(sketch(Self.text.replacing("shop", with: "shed")))
    #expect(near?.row == 1 && near?.isSame == false)
    #expect(index.match(sketch("a third question")) == nil)
  }

  @Test("near rows are found among many")
  func many() {
    var index = SketchIndex()
    let words = ["river", "stone", "lamp", "market", "winter", "letter", "garden", "signal", "harbour", "violin"]
    func text(_ n: Int) -> String {
      "The \(words[n % 10]) near the \(words[n / 10 % 10]) and the \(words[n / 100 % 10]) reminded everybody of "
        + "the \(words[n * 7 % 10]) that \(words[n / 3 % 10]) keepers had once described in their long \(words[n / 7 % 10]) book."
    }
    for n in 0..<500 { index.add(sketch(text(n)), row: n) }
    let found = (0..<500).count { index.match(sketch(text($0) + " Indeed."))?.isSame == false }
    #expect(found >= 495)
  }
}
