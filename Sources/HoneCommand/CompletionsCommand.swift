import ArgumentParser
import Evaluation
import Foundation
import HoneService
import Jobs
import JSON
import Optimizers
import Programs
import Schema
import Terminal
import Tracking

/// `hone completions`.
struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions", abstract: "Print the completions for a shell.",
    discussion: """
      bash   hone completions bash > ~/.local/share/bash-completion/completions/hone
      zsh    hone completions zsh > ~/.zfunc/_hone     (with fpath+=~/.zfunc before compinit)
      fish   hone completions fish > ~/.config/fish/completions/hone.fish
      """)

  @Argument(help: "bash, zsh or fish.", completion: .list(CompletionShell.allCases.map(\.rawValue)))
  var shell: String

  func run() throws {
    guard let shell = CompletionShell(rawValue: shell), CompletionShell.allCases.contains(shell) else {
      throw ValidationError(
        "There are completions for \(CompletionShell.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    TerminalOutput.standard.line(Hone.completionScript(for: shell))
  }
}

/// Words that the shell may complete, from what there is.
enum Candidates {
  static let methods = CompletionKind.list(MethodTable.names)
  static let modules = CompletionKind.list(Module.names)
  static let optimizers = CompletionKind.list(OptimizerRegistry.all.names)
  static let metrics = CompletionKind.list(MetricRegistry.all.names)
  static let adapters = CompletionKind.list(AdapterChoice.names)
  static let programFiles = CompletionKind.file(extensions: ["json"])

  /// The ids of the latest runs, where there is a store.
  static let runs = CompletionKind.custom { _, _, _ async in
    guard let options = try? CommonOptions.parse([]),
      let caller = try? await Caller(options),
      let list = try? await caller.call("listRuns", ["maxResults": 50])
    else { return [] }
    return ListRunsResult(json: list)?.runs.map(\.runID) ?? []
  }
}
