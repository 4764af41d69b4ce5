import Basics
import Failures
import Foundation
import JSON

/// The opaque token that asks for a listing's next page: the sort key of the last row that was shown.
///
/// It is bound to the query it came from: one of another query, or a forged one, is refused.
enum PageToken {
  private static let longest = 100_000

  /// A token for the row with those sort values.
  static func token(_ values: [JSONValue], query: String) -> String {
    let body = JSONValue.array([.string(fingerprint(query))] + values).encoded()
    return Data(body).base64EncodedString()
      .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  /// The sort values in a token; nil without a token.
  ///
  /// - Throws: `invalidParams` for anything that `token` did not make for this query.
  static func values(_ token: String?, count: Int, query: String) throws(HoneError) -> [JSONValue]? {
    guard let token, !token.isEmpty else { return nil }
    guard token.utf8.count <= longest,
      let data = Data(base64Encoded: padded(token.replacing("-", with: "+").replacing("_", with: "/"))),
      let value = try? JSONReader.read(data), case .array(let parts) = value, case .string(let query0)? = parts.first
    else {
      throw invalid("pageToken", "This is not a page token.", got: token, remedy: "Pass nextPageToken on as it came.")
    }
    guard query0 == fingerprint(query), parts.count == count + 1 else {
      throw invalid(
        "pageToken", "This token belongs to another query.", got: token,
        remedy: "Ask for the first page again, or repeat the query that gave the token.")
    }
    return Array(parts.dropFirst())
  }

  static func offset(_ value: Int, query: String) -> String { token([.int(value)], query: query) }

  static func offset(_ token: String?, query: String) throws(HoneError) -> Int? {
    guard let values = try values(token, count: 1, query: query) else { return nil }
    guard let value = values[0].intValue else {
      throw invalid("pageToken", "This is not a page token.", got: token)
    }
    return value
  }

  private static func padded(_ text: String) -> String {
    text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
  }

  private static func fingerprint(_ query: String) -> String {
    String(ContentDigest.of(query).description.prefix(12))
  }
}
