import ArgumentParser
import Failures
import Foundation
import HoneService
import RunFiles
import Terminal
import Tracking

/// `hone export`: runs as a file.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write runs and everything that belongs to them to a file that hone import reads.",
    discussion: """
      A run brings the runs above and under it. The file has one JSON object a line: runs with parameters, metrics, \
      tags, data sets and evaluation rows, their artifacts, their traces. Answers of models are not in it.
      """)

  @Argument(help: "The runs' ids.")
  var runs: [String] = []

  @Option(help: "All runs of this experiment; may be repeated.")
  var experiment: [String] = []

  @Flag(help: "All runs.")
  var all = false

  @Flag(inversion: .prefixedNo, help: "With traces.")
  var traces = true

  @Option(name: [.short, .long], help: "The file; standard output by default.")
  var output: String?

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  func validate() throws {
    if runs.isEmpty, experiment.isEmpty, !all {
      throw ValidationError("Name runs, or --experiment, or --all.")
    }
  }

  func run() async throws {
    try await reporting {
      let store = try TrackingStore.open(home: CommonOptions.homeDirectory(home), readOnly: true)
      let handle = try output.map { path throws(HoneError) in try Self.file(path) }
      var export = RunExport(store, includesTraces: traces) { bytes throws(HoneError) in
        guard let reason = Self.write(bytes, to: handle) else { return }
        throw HoneError(
          .storeUnavailable, "\(output ?? "Standard output") cannot be written: \(reason)",
          remedy: "Make room, or write to another place with -o.")
      }
      let count = try await export.export(try await selected(store))
      try? handle?.close()
      await store.close()
      TerminalOutput.errors.line("\(count) runs written")
    }
  }

  /// - Returns: why the bytes could not be written; nil if they were.
  private static func write(_ bytes: [UInt8], to handle: FileHandle?) -> String? {
    guard let handle else { return TerminalOutput.standard.data(bytes) }
    do {
      try handle.write(contentsOf: Data(bytes))
      return nil
    } catch {
      return error.localizedDescription
    }
  }

  private static func file(_ path: String) throws(HoneError) -> FileHandle {
    guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
      let handle = FileHandle(forWritingAtPath: path)
    else {
      throw HoneError(.storeUnavailable, "\(path) cannot be written.", remedy: "Check the path and its permissions.")
    }
    return handle
  }

  private func selected(_ store: TrackingStore) async throws(HoneError) -> [String] {
    var ids = runs
    var experiments: [String]?
    if !all {
      var chosen: [String] = []
      for name in experiment {
        guard let found = try await store.findExperiment(named: name) else {
          throw HoneError(
            .notFound, "There is no experiment \"\(name)\".", remedy: "hone call listExperiments lists them.")
        }
        chosen.append(found.id)
      }
      experiments = chosen
    }
    if experiments?.isEmpty == true { return ids }
    var token: String?
    repeat {
      let page = try await store.searchRuns(experimentIDs: experiments, view: .all, pageToken: token)
      ids += page.items.map(\.id)
      token = page.nextPageToken
    } while token != nil
    return ids
  }
}

/// `hone import`: runs from a file.
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Read runs that hone export wrote. Runs that exist already stay unchanged.")

  @Argument(help: "The file; - for standard input.")
  var file: String

  @Option(help: ArgumentHelp("The directory of the store.", discussion: "Else $HONE_HOME, else .hone here."))
  var home: String?

  func run() async throws {
    try await reporting {
      let store = try TrackingStore.open(home: CommonOptions.homeDirectory(home))
      var runs = RunImport(store)
      do throws(HoneError) {
        let summary = try await runs.read(file == "-" ? "/dev/stdin" : file)
        await store.close()
        TerminalOutput.standard.line(
          "\(summary.runs) runs imported with \(summary.artifacts) artifacts and \(summary.traces) traces, "
            + "\(summary.skipped) were there already")
      } catch {
        await store.close()
        throw error
      }
    }
  }
}
