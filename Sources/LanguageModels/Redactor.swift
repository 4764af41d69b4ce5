package import Failures
import Platform

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Takes secrets out of foreign text before it becomes part of an error, a log line or a trace.
///
/// Knows the secrets it was given, and the shapes that keys commonly have (`sk-…`, `Bearer …`).
package struct Redactor: Sendable {
  package static let mask = "[redacted]"

  /// Longest first, so that a secret which contains another is masked whole.
  private let secrets: [[UInt8]]
  /// Which bytes a secret begins with.
  private let beginnings: Set<UInt8>

  /// - Parameter secrets: values to mask, also where they are encoded (Base64, hexadecimal, percent, JSON); those under
  ///   8 bytes are left out, as they would mask common words.
  package init(secrets: [String] = []) {
    let forms = Set(secrets.filter { $0.utf8.count >= 8 }.flatMap(Redactor.forms))
    self.secrets = forms.map { Array($0.utf8) }.sorted { $0.count > $1.count }
    beginnings = Set(self.secrets.compactMap(\.first))
  }

  private init(_ secrets: [[UInt8]]) {
    self.secrets = secrets.sorted { $0.count > $1.count }
    beginnings = Set(secrets.compactMap(\.first))
  }

  /// One that knows the secrets of both.
  package func merged(with other: Redactor) -> Redactor {
    Redactor(Array(Set(secrets).union(other.secrets)))
  }

  /// A secret as it is, and as it may be written where something quotes it.
  private static func forms(_ secret: String) -> [String] {
    let bytes = Array(secret.utf8)
    let base64 = Data(bytes).base64EncodedString()
    let hexadecimal = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let percent = bytes.map { byte in
      isKeyByte(byte) && byte != UInt8(ascii: "+") && byte != UInt8(ascii: "*")
        ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }.joined()
    let json = secret.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return [
      secret, base64, String(base64.prefix { $0 != "=" }).replacing("+", with: "-").replacing("/", with: "_"),
      hexadecimal, hexadecimal.uppercased(), percent, json, json.replacing("/", with: "\\/"),
    ]
  }

  /// Masks the values that these environment variables have now.
  package init(environment names: [String]) {
    self.init(secrets: names.compactMap { name in getenv(name).map { String(cString: $0) } })
  }

  /// Masks known secrets and whatever has the shape of a key.
  package func redact(_ text: String) -> String { mask(text, shapes: true) }

  /// Masks known secrets only: for texts that may well speak of keys.
  package func redactKnown(_ text: String) -> String { secrets.isEmpty ? text : mask(text, shapes: false) }

  private func mask(_ text: String, shapes: Bool) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var position = 0
    var changed = false
    while position < bytes.count {
      if let (kept, end) = secret(in: bytes, at: position, shapes: shapes) {
        result.append(contentsOf: bytes[position..<position + kept])
        result.append(contentsOf: Redactor.mask.utf8)
        position = end
        changed = true
      } else {
        result.append(bytes[position])
        position += 1
      }
    }
    return changed ? String(decoding: result, as: UTF8.self) : text
  }

  /// The secret that begins at `position`: how many bytes of it may stay, and where it ends.
  private func secret(in bytes: [UInt8], at position: Int, shapes: Bool) -> (kept: Int, end: Int)? {
    if beginnings.contains(bytes[position]) {
      for secret in secrets where bytes[position...].starts(with: secret) { return (0, position + secret.count) }
    }
    guard shapes else { return nil }
    // A shape counts only at the start of a word: "task-list" holds no key.
    if position > 0, Redactor.isKeyByte(bytes[position - 1]) { return nil }
    for shape in Redactor.shapes where Redactor.begins(shape.lead, in: bytes, at: position) {
      let start = position + shape.lead.count
      var end = start
      while end < bytes.count, Redactor.isKeyByte(bytes[end]) { end += 1 }
      if end - start >= shape.least { return (shape.keepsLead ? shape.lead.count : 0, end) }
    }
    return nil
  }

  private struct Shape: Sendable {
    /// In lowercase; any case matches.
    var lead: [UInt8]
    /// The fewest key characters behind it.
    var least: Int
    /// Whether the lead is shown.
    var keepsLead: Bool
  }

  private static let shapes: [Shape] =
    ["sk-", "pk-", "gsk_", "xai-", "hf_", "aiza", "ghp_", "r8_", "nvapi-"].map {
      Shape(lead: Array($0.utf8), least: 8, keepsLead: false)
    }
    + ["bearer ", "basic ", "api-key: ", "x-api-key: ", "api_key=", "key=", "token="].map {
      Shape(lead: Array($0.utf8), least: 8, keepsLead: true)
    }

  private static func begins(_ lead: [UInt8], in bytes: [UInt8], at position: Int) -> Bool {
    guard position + lead.count <= bytes.count else { return false }
    for (offset, wanted) in lead.enumerated() {
      let byte = bytes[position + offset]
      let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
      guard lower == wanted else { return false }
    }
    return true
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "~"): true
    case UInt8(ascii: "*"): true
    default: false
    }
  }
}

extension Redactor {
  /// Knows the values that environment variables with a secret's name (`…_KEY`, `…_TOKEN`) had when it was first
  /// needed.
  package static let process = Redactor(
    secrets: ProcessInfo.processInfo.environment.compactMap { name, value in
      (ModelConfiguration.namesSecret(name) || name.hasSuffix("_KEY")) && !value.hasPrefix("/") ? value : nil
    })
}

extension HoneError {
  /// This error without secrets.
  package func redacted(by redactor: Redactor) -> HoneError {
    var error = self
    error.message = redactor.redact(message)
    error.cause = cause.map(redactor.redact)
    error.details = details.mapValues(redactor.redact)
    error.problems = problems.map { problem in
      var problem = problem
      problem.message = redactor.redact(problem.message)
      problem.got = problem.got.map(redactor.redact)
      return problem
    }
    return error
  }
}
