import Basics

/// Finds the brackets and marks of emphasis in a text that say nothing: `Paris (France)`, `**Paris**`, `$x$`.
///
/// Brackets mean something where they stand at a word or an operator (`f(x)`, `2 * (3 + 4)`), where they do not match
/// (`[0, 1)`), and where they are a face (`:)`).
enum TextAsides {
  static func places(in scalars: [Unicode.Scalar]) -> Set<Int> {
    guard scalars.contains(where: { "()[]{}*~$".unicodeScalars.contains($0) }) else { return [] }
    let emphasis = emphasis(scalars)
    return brackets(scalars, emphasis).union(emphasis)
  }

  private static func isSpace(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
    !scalars.indices.contains(index) || PythonText.isSpace(scalars[index])
  }

  // MARK: Brackets

  private static let closers: [Unicode.Scalar: Unicode.Scalar] = ["(": ")", "[": "]", "{": "}"]

  private static func brackets(_ scalars: [Unicode.Scalar], _ emphasis: Set<Int>) -> Set<Int> {
    var result: Set<Int> = []
    var open: [Int] = []
    for (index, scalar) in scalars.enumerated() {
      if closers[scalar] != nil {
        open.append(index)
      } else if ")]}".unicodeScalars.contains(scalar) {
        guard let start = open.popLast() else {
          // `a)` counts; `:)` smiles.
          if index > 0, PythonText.isAlphanumeric(scalars[index - 1]) { result.insert(index) }
          continue
        }
        if closers[scalars[start]] == scalar, standsApart(scalars, start, index, emphasis) {
          result.formUnion([start, index])
        }
      }
    }
    for index in open where index + 1 < scalars.count && PythonText.isAlphanumeric(scalars[index + 1]) {
      result.insert(index)
    }
    return result
  }

  private static func standsApart(
    _ scalars: [Unicode.Scalar], _ start: Int, _ end: Int, _ emphasis: Set<Int>
  ) -> Bool {
    let isFree = { (index: Int, signs: String) in
      isSpace(scalars, index) || emphasis.contains(index) || signs.unicodeScalars.contains(scalars[index])
        || isWrittenWithoutSpaces(scalars[index])
    }
    guard isFree(start - 1, "\"'([{.,;:!?_"), isFree(end + 1, "\"')]}.,;:!?_") else { return false }
    var before = start - 1
    while before >= 0, PythonText.isSpace(scalars[before]) { before -= 1 }
    var after = end + 1
    while after < scalars.count, PythonText.isSpace(scalars[after]) { after += 1 }
    return ![before, after].contains { !emphasis.contains($0) && isOperator(scalars, $0) }
  }

  private static func isOperator(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
    guard scalars.indices.contains(index) else { return false }
    switch scalars[index] {
    case "+", "/", "^", "=", "<", ">", "%", "&", "|", "\\": return true
    case "*": return index > 0
    case "-":
      var before = index - 1
      while before >= 0, PythonText.isSpace(scalars[before]) { before -= 1 }
      guard before >= 0 else { return false }
      let isNumber = ("0"..."9").contains(scalars[before]) || scalars[before] == ")"
      return isNumber || (PythonText.isAlphanumeric(scalars[before]) && isSpace(scalars, before - 1))
    default: return scalars[index].properties.generalCategory == .mathSymbol
    }
  }

  // MARK: Emphasis

  /// Runs of one sign that stand around something: the first before it, another of the same length behind it.
  private static func emphasis(_ scalars: [Unicode.Scalar]) -> Set<Int> {
    struct Run: Hashable {
      var sign: Unicode.Scalar
      var count: Int
    }
    var result: Set<Int> = []
    var open: [Run: Int] = [:]
    var index = 0
    while index < scalars.count {
      let sign = scalars[index]
      guard sign == "*" || sign == "~" || sign == "$" else {
        index += 1
        continue
      }
      var end = index
      while end < scalars.count, scalars[end] == sign { end += 1 }
      let run = Run(sign: sign, count: end - index)
      let isBehind = !isSpace(scalars, index - 1) && !isOfWord(scalars, end)
      let isBefore = !isSpace(scalars, end) && !isOfWord(scalars, index - 1)
      if isBehind, let start = open.removeValue(forKey: run) {
        result.formUnion(start..<start + run.count)
        result.formUnion(index..<end)
      } else if isBefore {
        open[run] = index
      }
      index = end
    }
    return result
  }

  private static func isOfWord(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
    scalars.indices.contains(index) && PythonText.isAlphanumeric(scalars[index])
  }
}
