/// Why a completion ended, in the words of OpenAI's chat completions (`finish_reason`). What other endpoints call
/// otherwise is brought into these words where it is read.
package enum FinishReason {
  /// The token limit cut it off.
  package static let cut = "length"
  /// A content filter ended it, or the model declined to answer; the text is what it said instead, if anything.
  package static let refused = "content_filter"
  /// The model called a tool in place of writing.
  package static let toolCall = "tool_calls"
}
