import Failures
import Platform
import Synchronization

/// The token of a home directory, made when it is first asked for: a server that looks at a directory without a store, and
/// that nobody but its owner uses, leaves nothing there.
final class KeptToken: Sendable {
  private let home: String
  private let known: Mutex<AccessToken?>

  /// - Parameter isNeeded: whether nobody gets in without the token.
  /// - Throws: `storeUnavailable` if the token can be neither read nor made.
  init(home: String, isNeeded: Bool) throws(HoneError) {
    self.home = home
    let isHomeThere = access(home, F_OK) == 0
    known = Mutex(
      isNeeded || isHomeThere ? try AccessToken.loadOrMake(home: home) : try AccessToken.load(home: home))
  }

  /// - Throws: `storeUnavailable` if it cannot be made.
  func token() throws(HoneError) -> AccessToken {
    let result = known.withLock { known -> Result<AccessToken, HoneError> in
      if let known { return .success(known) }
      do throws(HoneError) {
        let token = try AccessToken.loadOrMake(home: home)
        known = token
        return .success(token)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
