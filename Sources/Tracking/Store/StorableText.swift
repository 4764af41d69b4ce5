/// Text as a column can hold it.
///
/// SQLite's text ends at a NUL when it is read; models and data may well produce one. It is replaced by U+FFFD,
/// rather than lose everything behind it. Texts that are stored as JSON need none of this.
extension String {
  var storable: String {
    utf8.contains(0) ? String(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : Character($0) }) : self
  }
}
