import Failures
import NIOSSL
import Platform
import Synchronization

/// Certificates that the environment trusts beside the system's: those of a company's proxy, of a server of one's own.
struct TrustRoots: Sendable, Hashable {
  /// Each with the variable that names it.
  private var places: [Place] = []

  private struct Place: Sendable, Hashable {
    var variable: String
    var path: String
    var isDirectory: Bool
  }

  /// The variables for one file: OpenSSL's, that of Python's requests, curl's.
  static let fileVariables = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
  static let directoryVariable = "SSL_CERT_DIR"

  /// - Throws: `invalidParams` where a file cannot be used, with the variable and the path.
  init(_ variables: Variables) throws(HoneError) {
    for variable in Self.fileVariables {
      guard let path = variables[variable] else { continue }
      // requests takes a directory as well.
      let isDirectory = Self.isDirectory(path)
      places.append(Place(variable: variable, path: path, isDirectory: isDirectory))
    }
    if let list = variables[Self.directoryVariable] {
      let paths = list.split(separator: ":").map(String.init)
      let there = paths.filter(Self.isDirectory)
      guard !there.isEmpty else { throw Self.unusable(Self.directoryVariable, list, "there is no such directory") }
      places += there.map { Place(variable: Self.directoryVariable, path: $0, isDirectory: true) }
    }
    for place in places where !place.isDirectory { _ = try Self.certificates(in: place) }
  }

  var isEmpty: Bool { places.isEmpty }

  /// For messages: what is trusted already.
  var words: String? {
    isEmpty ? nil : places.map { "\($0.variable) (\($0.path))" }.joined(separator: ", ")
  }

  /// The client's settings with these roots; nil where the system's own are all.
  func configuration() throws(HoneError) -> TLSConfiguration? {
    guard !isEmpty else { return nil }
    // Often several variables name one file.
    var certificates: Set<NIOSSLCertificate> = []
    for place in places { certificates.formUnion(try Self.certificates(in: place)) }
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.additionalTrustRoots = [.certificates(Array(certificates))]
    return configuration
  }

  private static func isDirectory(_ path: String) -> Bool {
    var found = stat()
    return stat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFDIR
  }

  private static func unusable(_ variable: String, _ path: String, _ why: String) -> HoneError {
    let message = "The certificates in \(path), named by the environment variable \(variable), cannot be used: \(why)."
    return HoneError(
      .invalidParams, message, remedy: "Set \(variable) to a PEM file that can be read, or unset it.",
      problems: [Problem(path: "lm", message: message)])
  }

  // MARK: Reading

  /// What a file held when it was last changed then.
  private struct Read {
    var changed: Int
    var size: Int
    var certificates: [NIOSSLCertificate]
  }
  private static let known = Mutex<[String: Read]>([:])
  private static let largestFile = 16 << 20

  private static func certificates(in place: Place) throws(HoneError) -> [NIOSSLCertificate] {
    guard place.isDirectory else {
      switch read(place.path) {
      case .success(let certificates): return certificates
      case .failure(let failure): throw unusable(place.variable, place.path, failure.reason)
      }
    }
    guard let directory = opendir(place.path) else {
      throw unusable(place.variable, place.path, "the directory cannot be read")
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    // A directory of certificates has each of them twice, under its name and under its hash, and other things.
    var found: Set<NIOSSLCertificate> = []
    for name in names.sorted() where !name.hasPrefix(".") {
      if case .success(let certificates) = read(place.path + "/" + name) { found.formUnion(certificates) }
    }
    return Array(found)
  }

  private struct Failure: Error { var reason: String }

  private static func read(_ path: String) -> Result<[NIOSSLCertificate], Failure> {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return .failure(Failure(reason: "there is no such file"))
    }
    let (changed, size) = (Int(status.st_mtim.tv_sec), Int(status.st_size))
    if let read = known.withLock({ $0[path] }), read.changed == changed, read.size == size {
      return .success(read.certificates)
    }
    guard size <= largestFile, access(path, R_OK) == 0 else {
      return .failure(Failure(reason: size > largestFile ? "the file is too large" : "the file cannot be read"))
    }
    guard let certificates = try? NIOSSLCertificate.fromPEMFile(path), !certificates.isEmpty else {
      return .failure(Failure(reason: "the file has no certificates in PEM form"))
    }
    known.withLock { known in
      if known.count > 1000 { known = [:] }
      known[path] = Read(changed: changed, size: size, certificates: certificates)
    }
    return .success(certificates)
  }
}
