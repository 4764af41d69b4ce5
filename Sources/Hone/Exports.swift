// What results are made of comes with the library: one import is enough.
@_exported public import Evaluation
@_exported public import Failures
@_exported public import JSON
@_exported public import Jobs
@_exported public import LanguageModels
@_exported public import Programs
@_exported public import Statistics
@_exported public import Tracking

extension CompileResult {
  /// The best program. One with functions of this process is to be had from `program.loading(result.state)`.
  ///
  /// - Throws: `programInvalid` where the state does not say its structure.
  public func program() throws(HoneError) -> Program {
    Program(try StateFile.decode(.object(state), module: nil, source: "The result").program)
  }
}
