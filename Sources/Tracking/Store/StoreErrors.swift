import Failures
import GRDB

/// Any error of the database as a `HoneError`, without SQL or bound values in its text.
func storeError(_ error: any Error) -> HoneError {
  guard let error = error as? DatabaseError else { return HoneError(wrapping: error) }
  let (message, remedy): (String, String) =
    switch error.resultCode {
    case .SQLITE_FULL:
      ("The tracking store cannot grow: the disk is full.", "Free some space; what was committed is unharmed.")
    case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
      ("The tracking store cannot be written to.", "Check the permissions of the home directory and its files.")
    case .SQLITE_CANTOPEN:
      ("The tracking store's database cannot be opened.", "Check that the home directory is accessible.")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      ("Another process kept the tracking store locked for too long.", "Try again, or end the other process.")
    case .SQLITE_CORRUPT, .SQLITE_NOTADB:
      ("The tracking store's database is damaged or no database.", "Restore a backup, or choose another home.")
    case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_WRITE:
      (
        "The tracking store cannot grow: the disk accepts no more data.",
        "Free some space; what was committed is unharmed."
      )
    case .SQLITE_IOERR:
      ("Reading or writing the tracking store failed.", "Check the disk that holds the home directory.")
    case .SQLITE_MISUSE:
      ("The tracking store is closed.", "Open it again.")
    case .SQLITE_TOOBIG:
      ("A value is too big for the tracking store.", "Keep it as an artifact instead.")
    default:
      ("The tracking store refused an operation.", "Report this; it is a defect of the store.")
    }
  return HoneError(
    .storeUnavailable, message, remedy: remedy,
    details: ["sqliteCode": "\(error.extendedResultCode.rawValue)"], cause: error.message)
}

/// That a run, experiment or trace does not exist.
func notFound(_ what: String, _ id: String) -> HoneError {
  HoneError(.notFound, "There is no \(what) \"\(shortened(id))\".", remedy: "Check the id.")
}

func invalid(
  _ path: String, _ message: String, got: String? = nil, allowed: [String] = [], remedy: String? = nil
)
  -> HoneError
{
  let came = got.map(shortened)
  return HoneError(
    .invalidParams, "\(path): \(message)", remedy: remedy,
    problems: [
      Problem(
        path: path, message: message, got: came, allowed: allowed,
        suggestion: came.flatMap { nearest(to: $0, among: allowed) })
    ])
}

/// At most 80 characters of foreign text, for a message.
func shortened(_ text: String) -> String {
  text.count > 80 ? text.prefix(80) + "…" : text
}
