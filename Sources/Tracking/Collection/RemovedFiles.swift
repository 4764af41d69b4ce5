import Failures
import Foundation
import GRDB
import Platform

extension GarbageCollection {
  /// Where files stand until they are gone, so that nobody finds half of them in their place.
  static let bin = ".gone"
  private static let ownersOfStep = 50

  /// Removes the files of what is gone from the tables.
  mutating func removeFiles() async throws(HoneError) {
    try await emptyBin()
    while true {
      try goOn()
      let files = store.artifactFiles
      // In one transaction with the look whether they are still to be removed: a run that is imported again under its id
      // keeps its files. Moving them once more, where the transaction is repeated, does nothing.
      let owners = try await store.write { db in
        let owners = try String.fetchAll(
          db, sql: "SELECT id FROM removals WHERE kind = 'files' LIMIT \(Self.ownersOfStep)")
        for owner in owners { try files.move(owner, to: Self.bin) }
        return owners
      }
      guard !owners.isEmpty else { return }
      try await emptyBin()
      try await store.write { db in
        for owner in owners {
          try db.execute(sql: "DELETE FROM removals WHERE kind = 'files' AND id = ?", arguments: [owner])
        }
      }
      if found.files > 0 { progress("\(found.files) files removed") }
    }
  }

  private mutating func emptyBin() async throws(HoneError) {
    let files = store.artifactFiles
    let removed = try await onThread { () throws(HoneError) in try files.erase([Self.bin]) }
    found.files += removed.files
    found.fileBytes += removed.bytes
  }
}

extension ArtifactFiles {
  /// The traces that have files of their own, by their path below the root.
  func tracesWithFiles() throws(HoneError) -> [String] {
    guard let top = try directory([], making: false) else { return [] }
    var owners: [String] = []
    for experiment in try list(top) where experiment.size == nil && Int(experiment.name) != nil {
      guard let traces = try directory([experiment.name, "traces"], making: false) else { continue }
      owners += try list(traces).map { "\(experiment.name)/traces/\($0.name)" }
    }
    return owners
  }

  /// How many files an owner has, and their bytes.
  func size(of owner: String) throws(HoneError) -> (files: Int, bytes: Int) {
    guard let directory = try directory(owner.split(separator: "/").map(String.init), making: false) else {
      return (0, 0)
    }
    return try size(directory, depth: 0)
  }

  private func size(_ directory: OpenFile, depth: Int) throws(HoneError) -> (files: Int, bytes: Int) {
    var sum = (files: 0, bytes: 0)
    for entry in try entries(of: directory) {
      guard entry.isDirectory, depth < 100 else {
        sum.files += 1
        sum.bytes += entry.size
        continue
      }
      let descriptor = openat(directory.descriptor, entry.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      let own = try size(OpenFile(descriptor), depth: depth + 1)
      sum.files += own.files
      sum.bytes += own.bytes
    }
    return sum
  }

  /// Moves an owner's directory into another one at the top; nothing where it has none.
  func move(_ owner: String, to bin: String) throws(HoneError) {
    let names = owner.split(separator: "/").map(String.init)
    guard let name = names.last, let from = try directory(Array(names.dropLast()), making: false),
      let target = try directory([bin], making: true)
    else { return }
    let place = names.joined(separator: "-") + "-\(UInt64.random(in: 0 ... .max))"
    guard renameat(from.descriptor, name, target.descriptor, place) == 0 || errno == ENOENT else {
      throw systemFailure("remove the artifacts of \"\(shortened(owner))\"")
    }
  }

  /// Removes a directory with everything in it, whatever it is; links are removed, not followed.
  func erase(_ names: [String]) throws(HoneError) -> (files: Int, bytes: Int) {
    guard let name = names.last, let above = try directory(Array(names.dropLast()), making: false),
      let directory = try directory(names, making: false)
    else { return (0, 0) }
    let sum = try erase(directory, depth: 0)
    guard unlinkat(above.descriptor, name, AT_REMOVEDIR) == 0 || errno == ENOENT || errno == ENOTEMPTY else {
      throw systemFailure("remove the directory \"\(shortened(name))\" of artifacts")
    }
    return sum
  }

  private func erase(_ directory: OpenFile, depth: Int) throws(HoneError) -> (files: Int, bytes: Int) {
    guard depth < 1000 else { throw invalid("path", "The directory is nested too deep to be removed.") }
    var sum = (files: 0, bytes: 0)
    for entry in try entries(of: directory) {
      if entry.isDirectory {
        let descriptor = openat(directory.descriptor, entry.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
          if errno == ENOENT { continue }
          throw systemFailure("remove the directory \"\(shortened(entry.name))\" of artifacts")
        }
        let own = try erase(OpenFile(descriptor), depth: depth + 1)
        sum.files += own.files
        sum.bytes += own.bytes
      } else {
        sum.files += 1
        sum.bytes += entry.size
      }
      // Another collection may be removing the same.
      guard
        unlinkat(directory.descriptor, entry.name, entry.isDirectory ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT
      else { throw systemFailure("remove the artifact \"\(shortened(entry.name))\"") }
    }
    return sum
  }
}
