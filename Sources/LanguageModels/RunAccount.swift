
/// What one run has asked for and paid, all roles.
package final class RunAccount: Sendable {
  /// The run that calls are made for; nil for calls outside any run.
  package let runID: String?
  package init(runID: String? = nil) { self.runID = runID }
}
