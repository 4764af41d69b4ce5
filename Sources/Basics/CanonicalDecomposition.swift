// The standard library decomposes strings for its own comparisons; its interface for that is marked
// as not stable, so it is used in this file only. Foundation's would cost its start-up time.
@_spi(_Unicode) import Swift

/// The scalars of the text in Unicode normalization form NFD.
package func canonicallyDecomposed(_ text: String) -> [Unicode.Scalar] {
  text.utf8.allSatisfy { $0 < 0x80 } ? Array(text.unicodeScalars) : Array(text._nfd)
}
