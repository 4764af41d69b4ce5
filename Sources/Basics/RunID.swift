/// A new run's id: 32 random lowercase hexadecimal digits.
package func randomRunID() -> String { hexadecimal(IDSource.next()) + hexadecimal(IDSource.next()) }

private func hexadecimal(_ number: UInt64) -> String {
  hexadecimal(withUnsafeBytes(of: number.bigEndian) { Array($0) })
}

/// Whether the text has the form of a run's id.
package func isRunID(_ text: String) -> Bool {
  text.utf8.count == 32
    && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
}
