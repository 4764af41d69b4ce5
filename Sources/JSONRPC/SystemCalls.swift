import Failures
import Platform

/// The name of the current `errno`, as a person reads it.
func systemErrorText(_ number: Int32 = errno) -> String {
  "\(String(cString: strerror(number))) (errno \(number))"
}

/// Runs a system call again as long as a signal interrupts it.
func retrying<Number: SignedInteger>(_ call: () -> Number) -> Number {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// Runs `body` on a thread of its own that nobody waits for.
///
/// - Throws: `internalError` if the system has no thread left.
func startThread(_ body: @escaping @Sendable () -> Void) throws(HoneError) {
  let result = startDetachedThread(body)
  guard result == 0 else {
    throw HoneError(
      .internalError, "No thread could be started: \(systemErrorText(result)).", remedy: "Raise the limit on threads.")
  }
}

/// Makes writes to a peer that has gone answer EPIPE instead of ending the process.
package func ignoreBrokenPipes() { _ = brokenPipesAreIgnored }

private let brokenPipesAreIgnored: Bool = {
  signal(SIGPIPE, SIG_IGN)
  return true
}()

/// Marks a descriptor as not inherited by child processes and, if asked, as never waiting.
func setFlags(_ descriptor: Int32, nonBlocking: Bool) {
  _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  if nonBlocking { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
}

/// A pipe by which one thread wakes another out of `poll`. It closes when nobody can wake any more.
final class WakePipe: Sendable {
  let readEnd: Int32
  private let writeEnd: Int32

  init() throws(HoneError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw HoneError(
        .internalError, "No pipe could be opened: \(systemErrorText()).", remedy: "Raise the limit on open files.")
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
    setFlags(readEnd, nonBlocking: true)
    setFlags(writeEnd, nonBlocking: true)
  }

  func wake() {
    var byte: UInt8 = 1
    _ = System.write(writeEnd, &byte, 1)
  }

  func clear() {
    var bytes: (UInt64, UInt64) = (0, 0)
    while System.read(readEnd, &bytes, 16) == 16 {}
  }

  deinit {
    System.close(readEnd)
    System.close(writeEnd)
  }
}
