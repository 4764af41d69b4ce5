package import Failures
import JSON
import Platform
import Schema

/// The user's own list of which keys may go where, outside of every workspace: `hone/keys.json` in `$XDG_CONFIG_HOME`,
/// else in `~/.config`. Only the user can read and write it.
package struct KeyGrantFile: Sendable {
  package let path: String

  /// - Returns: nil where the environment names no home.
  package static var ofUser: KeyGrantFile? {
    func absolute(_ name: String) -> String? { Environment.value(name).flatMap { $0.hasPrefix("/") ? $0 : nil } }
    guard let directory = absolute("XDG_CONFIG_HOME") ?? absolute("HOME").map({ $0 + "/.config" }) else { return nil }
    return KeyGrantFile(path: directory + "/hone/keys.json")
  }

  package init(path: String) { self.path = path }

  private struct Content: SchemaObject {
    static let members: [Member<Self>] = [Member("allowed", \.allowed, "What may go where.")]
    var allowed: [KeyGrant] = []
  }

  /// What is allowed; nothing where there is no file.
  ///
  /// - Throws: `storeUnavailable` where others may write the file, or it cannot be read.
  package func grants() throws(HoneError) -> [KeyGrant] {
    do throws(LocalFile.Failure) {
      let bytes = try LocalFile.read(path, maximumBytes: 1 << 20, trust: .written)
      let problems = ProblemList()
      guard let value = try? JSONReader.read(bytes), let content = Content.read(value, at: "", problems) else {
        throw LocalFile.Failure(reason: problems.problems.first?.description ?? "it is not JSON")
      }
      return content.allowed
    } catch {
      if error.isAbsent { return [] }
      throw HoneError(
        .storeUnavailable, "The list of allowed keys in \(path) cannot be used: \(error.reason).",
        remedy: "Run chmod 600 on it, or delete it and allow the keys again with hone keys allow.")
    }
  }

  /// Adds to the list; false where it is there already.
  @discardableResult
  package func add(_ grant: KeyGrant) throws(HoneError) -> Bool {
    try change { known in
      guard !known.contains(grant) else { return false }
      known.append(grant)
      return true
    }
  }

  /// Takes back what `isMeant` chooses; gives what was taken back.
  package func forget(where isMeant: (KeyGrant) -> Bool) throws(HoneError) -> [KeyGrant] {
    // Where nothing is, nothing is made.
    guard try !grants().isEmpty else { return [] }
    return try change { known in
      let gone = known.filter(isMeant)
      known.removeAll(where: isMeant)
      return gone
    }
  }

  /// Reads the list and writes it again where `body` changes it; whoever else wants to change it waits meanwhile.
  private func change<Outcome>(_ body: (inout [KeyGrant]) -> Outcome) throws(HoneError) -> Outcome {
    let lock: FileLock
    do throws(LocalFile.Failure) {
      try LocalFile.makeDirectory(path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }, mode: 0o700)
      // The list itself is replaced, so that a lock on it would be one on the former list.
      lock = try FileLock(path + ".lock")
    } catch {
      throw unwritable(error)
    }
    defer { lock.release() }
    let known = try grants()
    var changed = known
    let outcome = body(&changed)
    if changed != known { try write(changed) }
    return outcome
  }

  private func write(_ grants: [KeyGrant]) throws(HoneError) {
    var content = Content()
    content.allowed = grants.sorted { ($0.variable, $0.host, $0.file ?? "") < ($1.variable, $1.host, $1.file ?? "") }
    let list = JSONValue.array(content.allowed.map { .object($0.given) })
    do throws(LocalFile.Failure) {
      try LocalFile.writeAtomically(
        Array((JSONValue.object(["allowed": list]).text(.indented) + "\n").utf8), to: path, mode: 0o600)
    } catch {
      throw unwritable(error)
    }
  }

  private func unwritable(_ failure: LocalFile.Failure) -> HoneError {
    HoneError(
      .storeUnavailable, "\(path) cannot be written: \(failure.reason).",
      remedy: "Check the permissions of its directory.")
  }
}
