import JSON
import Programs

/// A program as lines for people to read and compare: each predictor's signature, instructions and demos.
enum ProgramText {
  /// Everything, the same for equal programs.
  static func whole(_ program: Program) -> String {
    var lines = ["\(program.module.className)  \(program.module.signatureText)"]
    for (index, predictor) in program.predictors.enumerated() {
      let state = program.states[index]
      lines += ["", "predictor \(predictor.name)", "  signature", "    \(predictor.signature.text)", "  instructions"]
      lines += indented(state.instructions, by: 4)
      lines.append("  demos: \(state.demos.count)")
      for (number, demo) in state.demos.enumerated() {
        lines.append("    demo \(number + 1)")
        for (key, value) in demo {
          let text = value.stringValue ?? value.text(.spaced)
          if text.contains(where: \.isNewline) {
            lines.append("      \(key):")
            lines += indented(text, by: 8)
          } else {
            lines.append("      \(key): \(text)")
          }
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The structure, with the instructions and how many demos there are.
  static func outline(_ program: Program) -> String {
    var lines = ["\(program.module.className)  \(program.module.signatureText)"]
    for (index, predictor) in program.predictors.enumerated() {
      let state = program.states[index]
      if program.predictors.count > 1 { lines.append("\(predictor.name)  \(predictor.signature.text)") }
      lines += indented(String(state.instructions.prefix(1000)), by: 2)
      if !state.demos.isEmpty { lines.append("  + \(state.demos.count) demos") }
    }
    return lines.joined(separator: "\n")
  }

  private static func indented(_ text: String, by count: Int) -> [String] {
    let space = String(repeating: " ", count: count)
    return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map {
      $0.isEmpty ? "" : space + $0
    }
  }
}

/// The difference of two texts in the unified form, three lines of context around each change.
enum TextDiff {
  private struct Line {
    var mark: Character
    var text: Substring
  }

  /// Empty where the texts are equal.
  static func unified(_ left: String, _ right: String, leftTitle: String, rightTitle: String) -> String {
    let all = lines(
      left.split(separator: "\n", omittingEmptySubsequences: false),
      right.split(separator: "\n", omittingEmptySubsequences: false))
    let changed = all.indices.filter { all[$0].mark != " " }
    guard !changed.isEmpty else { return "" }
    var output = ["--- \(leftTitle)", "+++ \(rightTitle)"]
    var index = 0
    while index < changed.count {
      let start = max(0, changed[index] - 3)
      var end = changed[index]
      // Changes whose contexts meet share a hunk.
      while index < changed.count, changed[index] <= end + 6 {
        end = changed[index]
        index += 1
      }
      let hunk = all[start...min(all.count - 1, end + 3)]
      let before = all[..<start]
      let leftStart = before.count { $0.mark != "+" } + 1
      let rightStart = before.count { $0.mark != "-" } + 1
      output.append(
        "@@ -\(leftStart),\(hunk.count { $0.mark != "+" }) +\(rightStart),\(hunk.count { $0.mark != "-" }) @@")
      output += hunk.map { "\($0.mark)\($0.text)" }
    }
    return output.joined(separator: "\n") + "\n"
  }

  /// Both texts' lines in one sequence, each marked as kept, removed or added.
  private static func lines(_ left: [Substring], _ right: [Substring]) -> [Line] {
    let difference = right.difference(from: left)
    var removed: Set<Int> = []
    var added: Set<Int> = []
    for change in difference {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): added.insert(offset)
      }
    }
    var result: [Line] = []
    var (i, j) = (0, 0)
    while i < left.count || j < right.count {
      if removed.contains(i) {
        result.append(Line(mark: "-", text: left[i]))
        i += 1
      } else if added.contains(j) {
        result.append(Line(mark: "+", text: right[j]))
        j += 1
      } else if i < left.count, j < right.count {
        result.append(Line(mark: " ", text: left[i]))
        i += 1
        j += 1
      } else {
        break
      }
    }
    return result
  }
}
