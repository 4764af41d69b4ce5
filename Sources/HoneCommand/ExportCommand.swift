import ArgumentParser
import Failures
import Foundation
import HoneService
import RunFiles
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
      let handle = try destination()
      var export = RunExport(store, includesTraces: traces) { bytes throws(HoneError) in
        do {
          try handle.write(contentsOf: Data(bytes))
        } catch {
          throw HoneError(.storeUnavailable, "The file cannot be written: \(error.localizedDescription)")
        }
      }
      let count = try await export.export(try await selected(store))
      try? handle.close()
      await store.close()
      printError("\(count) runs written")
    }
  }

  private func destination() throws(HoneError) -> FileHandle {
    guard let output else { return .standardOutput }
    guard FileManager.default.createFile(atPath: output, contents: nil, attributes: [.posixPermissions: 0o600]),
      let handle = FileHandle(forWritingAtPath: output)
    else {
      throw HoneError(
        .storeUnavailable, "\(output) cannot be written.", remedy: "Check the path and its permissions.")
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
        print(
          "\(summary.runs) runs imported with \(summary.artifacts) artifacts and \(summary.traces) traces, "
            + "\(summary.skipped) were there already")
      } catch {
        await store.close()
        throw error
      }
    }
  }
}
