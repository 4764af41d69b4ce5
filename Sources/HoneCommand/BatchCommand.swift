import ArgumentParser
import Failures
import Foundation
import HoneService
import Jobs
import JSON
import JSONRPC
import Schema
import Terminal

/// `hone batch`.
struct BatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch", abstract: "Make many calls and print their answers in order.",
    discussion: """
      The file has one request a line, or is one array of them: {"method": "evaluate", "params": {…}, "id": "a"}. An id \
      is the request's number from 1 unless given. Requests run side by side; each answer is one line of JSON-RPC, in \
      the order of the requests, as soon as those before it are there.

      Status: 0 when every request was fulfilled, 1 when any was not (its answer says why), 2 when the file cannot be \
      read.
      """)

  @OptionGroup var common: CommonOptions

  @Argument(help: "The file; - for standard input.", completion: .file(extensions: ["jsonl", "json"]))
  var file: String

  @Option(name: [.short, .long], help: "How many requests at once.")
  var jobs = 4

  func validate() throws {
    guard jobs >= 1 else { throw ValidationError("--jobs should be at least 1.") }
  }

  func run() async throws {
    let requests = try BatchRequests(file)
    try await reporting {
      let caller = try await Caller(common)
      var results = OrderedLines()
      await withTaskGroup(of: (Int, JSONObject).self) { group in
        var running = 0
        func collect() async {
          guard let (number, answer) = await group.next() else { return }
          running -= 1
          results.put(number, answer)
        }
        while let (number, request) = await requests.next() {
          // Answers that wait for an earlier one are held, so the head start has a bound.
          while running >= jobs || (running > 0 && results.waiting >= 1000) { await collect() }
          running += 1
          group.addTask { (number, await Self.answer(request, number, caller)) }
        }
        while running > 0 { await collect() }
      }
      await caller.close()
      if results.anyFailed { throw ExitCode(1) }
    }
  }

  /// The answer to one entry of the batch, as JSON-RPC puts it.
  private static func answer(
    _ entry: Result<JSONValue, JSONSyntaxError>, _ number: Int, _ caller: Caller
  ) async -> JSONObject {
    var id = JSONValue.null
    func failure(_ error: RPCError) -> JSONObject { ["jsonrpc": "2.0", "id": id, "error": error.json] }
    let value: JSONValue
    switch entry {
    case .success(let read): value = read
    case .failure(let error): return failure(RPCError(.parseError, "Request \(number) is not JSON: \(error)."))
    }
    let request = BatchEntry(value)
    if case .none = request.id { id = .int(number) } else { id = request.id.jsonValue }
    guard let method = request.method else {
      return failure(RPCError(.invalidRequest, "Request \(number) has no member \"method\"."))
    }
    let params = request.params
    guard params.isNull || params.objectValue != nil else {
      return failure(RPCError(.invalidParams, "The params of request \(number) should be an object."))
    }
    switch await caller.ask(method, params.objectValue ?? [:]) {
    case .success(let result): return ["jsonrpc": "2.0", "id": id, "result": result]
    case .failure(let error): return failure(error)
    }
  }
}

/// One request of a batch.
private struct BatchEntry: ForeignRecord {
  static let members: [Member<Self>] = [
    Member("id", \.id), Member("method", \.method), Member("params", \.params),
  ]
  /// Null is an id, too.
  var id = Change<JSONValue>.none
  var method: String?
  var params = JSONValue.null
}

/// The requests of a batch, one after the other with their numbers.
private final class BatchRequests {
  private var lines: LineSource
  private var array: ArraySlice<JSONValue>?
  private var number = 0
  private var isFirst = true

  init(_ file: String) throws { lines = try LineSource(file) }

  /// The next request; lines without anything on them are passed over.
  func next() async -> (Int, Result<JSONValue, JSONSyntaxError>)? {
    if array == nil {
      while let line = await lines.next() {
        guard let first = line.first(where: { !$0.isWhitespace }) else { continue }
        if isFirst, first == "[" {
          isFirst = false
          var text = line
          while let more = await lines.next() { text += "\n" + more }
          do throws(JSONSyntaxError) {
            array = try JSONReader.read(text).arrayValue?[...] ?? []
          } catch {
            array = []
            return (1, .failure(error))
          }
          break
        }
        isFirst = false
        number += 1
        do throws(JSONSyntaxError) { return (number, .success(try JSONReader.read(line))) } catch {
          return (number, .failure(error))
        }
      }
    }
    guard let value = array?.popFirst() else { return nil }
    number += 1
    return (number, .success(value))
  }
}

/// The lines of a file, or of standard input as they come.
private struct LineSource {
  private var lines: ArraySlice<Substring>?

  init(_ file: String) throws {
    guard file != "-" else { return }
    guard let data = FileManager.default.contents(atPath: file) else {
      throw ValidationError("\(file) cannot be read.")
    }
    lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)[...]
  }

  mutating func next() async -> String? {
    if lines != nil { return lines?.popFirst().map(String.init) }
    // Standard input may keep us waiting, and the requests that run must not wait with us.
    return await withCheckedContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(returning: readLine()) }
    }
  }
}

/// Prints lines in the order of their numbers, whatever the order in which they come.
private struct OrderedLines {
  private var ready: [Int: JSONObject] = [:]
  private var next = 1
  private(set) var anyFailed = false

  /// How many lines wait for an earlier one.
  var waiting: Int { ready.count }

  mutating func put(_ number: Int, _ line: JSONObject) {
    anyFailed = anyFailed || line["error"] != nil
    ready[number] = line
    while let line = ready.removeValue(forKey: next) {
      TerminalOutput.standard.json(.object(line), .compact)
      next += 1
    }
  }
}
