import Failures
import HTTPResponses
import Platform

/// The secret that lets clients of other machines in: made at the first start, kept in the home directory for its owner
/// alone.
struct AccessToken: Sendable {
  static let fileName = "token"

  let text: String

  /// The token of a home directory.
  ///
  /// - Throws: `storeUnavailable` if the file can be neither read nor made, or others may read it.
  static func loadOrMake(home: String) throws(HoneError) -> AccessToken {
    let path = home.hasSuffix("/") ? home + fileName : home + "/" + fileName
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

  private static func load(_ path: String) throws(HoneError) -> AccessToken? {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw failure("read", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw failure("read", path) }
    guard status.st_mode & 0o077 == 0 else {
      throw HoneError(
        .storeUnavailable, "Users other than its owner can read the access token \(path).",
        remedy: "Delete the file and start again: a new token is made.")
    }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).trimmed
    guard text.utf8.count >= 32 else {
      throw HoneError(
        .storeUnavailable, "The access token \(path) is too short to be one.",
        remedy: "Delete the file and start again: a new token is made.")
    }
    return AccessToken(text: text)
  }

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
