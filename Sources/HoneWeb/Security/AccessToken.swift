import Failures
import HTTPResponses
import Platform

/// The secret that lets other users and clients of other machines in: kept in the home directory for its owner alone.
struct AccessToken: Sendable {
  static let fileName = "token"

  let text: String

  /// Where the token of a home directory lies.
  static func path(home: String) -> String { home.hasSuffix("/") ? home + fileName : home + "/" + fileName }

  /// The token of a home directory.
  ///
  /// - Throws: `storeUnavailable` if the file can be neither read nor made, or others may read it.
  static func loadOrMake(home: String) throws(HoneError) -> AccessToken {
    let path = path(home: home)
    if let known = try load(path) { return known }
    // The store makes the home directory, too; whichever comes first.
    _ = mkdir(home, 0o700)
    let text = random()
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    if descriptor < 0, errno == EEXIST, let known = try load(path) { return known }
    guard descriptor >= 0 else { throw failure("made", path) }
    defer { close(descriptor) }
    let line = Array((text + "\n").utf8)
    let count = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard count == line.count else { throw failure("written", path) }
    return AccessToken(text: text)
  }

  /// The token that a home directory has; nil where there is none.
  ///
  /// - Throws: `storeUnavailable` if the file cannot be used, or others may read it.
  static func load(home: String) throws(HoneError) -> AccessToken? { try load(path(home: home)) }

  private static func load(_ path: String) throws(HoneError) -> AccessToken? {
    let bytes: [UInt8]
    do throws(LocalFile.Failure) {
      bytes = try LocalFile.read(path, maximumBytes: 256, trust: .secret)
    } catch {
      if error.isAbsent { return nil }
      throw HoneError(
        .storeUnavailable, "The access token \(path) cannot be used: \(error.reason).", remedy: Self.anew)
    }
    let text = String(decoding: bytes, as: UTF8.self).trimmed
    guard text.utf8.count >= 32 else {
      throw HoneError(
        .storeUnavailable, "The access token \(path) is too short to be one.", remedy: Self.anew)
    }
    return AccessToken(text: text)
  }

  private static let anew = "Delete the file and start again: a new token is made."

  private static func failure(_ verb: String, _ path: String) -> HoneError {
    HoneError(
      .storeUnavailable, "The access token \(path) cannot be \(verb): \(String(cString: strerror(errno))).",
      remedy: "Check the permissions of the home directory.")
  }

  /// 256 bits in letters and digits.
  private static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    let digits = Array("0123456789abcdef")
    return String((0..<64).map { _ in digits[Int.random(in: 0..<16, using: &generator)] })
  }

  /// Whether that is the token; takes the same time wherever they differ.
  func isEqual(to other: some StringProtocol) -> Bool {
    let (mine, theirs) = (Array(text.utf8), Array(other.utf8))
    var difference = mine.count ^ theirs.count
    for index in mine.indices { difference |= Int(mine[index] ^ (index < theirs.count ? theirs[index] : 0)) }
    return difference == 0
  }
}
