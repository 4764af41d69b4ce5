/// A text as one compares it to find it again: case, and how many spaces or line ends stand where, say nothing.
package func comparableText(_ text: some StringProtocol) -> String {
  text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
}
