import Failures
import Foundation
import JSON
import JSONRPC
import Jobs
import Optimizers
import Schema
import Synchronization
import Testing
import Tracking

@testable import Editing
@testable import HoneService

@Suite("The runs of a file")
struct FileRunsTests {
  @Test("an imported run that names the file is none of them, however good")
  func passesImportedRunsOver() async throws {
    let home = FileManager.default.temporaryDirectory.path + "/hone-file-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: home) }
    let store = try TrackingStore.open(home: home)
    let tags = [KeyValue(HoneTag.file, "/a/program.json"), KeyValue(HoneTag.kind, "compile")]
    let own = try await store.createRun(NewRun(tags: tags)).id
    try await store.log(run: own, metrics: [MetricPoint("score", 50)])
    let foreign = try await store.createRun(NewRun(tags: tags + [KeyValue(ImportMark.tag, "2026-01-01")])).id
    try await store.log(run: foreign, metrics: [MetricPoint("score", 100)])
    let runs = FileRuns(store: store, path: "/a/program.json")
    #expect(try await runs.best()?.id == own)
    #expect(try await runs.last()?.id == own)
    await store.close()
  }
}

@Suite("The request that a file makes")
struct FileRequestTests {
  @Test("says where the file is, whatever its tags say, and nothing where it has no place")
  func place() {
    let members: JSONObject = ["program": "q -> a", "tags": [HoneTag.file: "/other.hone.json", "a": "b"]]
    let request = ProgramFile.request("evaluate", of: members, file: "/mine.hone.json")
    #expect(request["tags"] == ["a": "b", HoneTag.file: "/mine.hone.json"])
    #expect(ProgramFile.request("evaluate", of: members, file: nil)["tags"] == ["a": "b"])
  }
}

@Suite("Places in a document")
struct DocumentPlaceTests {
  @Test("bytes and UTF-16 positions translate into each other", arguments: ["", "a\nbé😀c\r\nd\re", "😀", "\n\n", "é\n"])
  func translatesPositions(text: String) {
    let source = SourceText(text)
    var line = 0
    var units = 0
    var offset = 0
    for character in text {
      let position = TextPosition(line: line, character: units)
      #expect(source.position(of: offset) == position, "\(offset)")
      if !character.isNewline { #expect(source.offset(of: position) == offset) }
      offset += character.utf8.count
      units += character.utf16.count
      if character.isNewline { (line, units) = (line + 1, 0) }
    }
    #expect(source.position(of: offset) == TextPosition(line: line, character: units))
    // Beyond a line is its end, beyond the text the text's.
    #expect(source.offset(of: TextPosition(line: 99, character: 0)) == text.utf8.count)
    #expect(source.offset(of: TextPosition(line: -1, character: 0)) == 0)
  }

  @Test("between the halves of a surrogate pair there is nothing")
  func keepsCharactersWhole() {
    let source = SourceText("😀x")
    #expect(source.offset(of: TextPosition(line: 0, character: 1)) == 0)
    #expect(source.position(of: 2) == TextPosition(line: 0, character: 0))
  }

  @Test("changes are applied as editors count, one after the other")
  func appliesChanges() {
    func change(_ start: (Int, Int), _ end: (Int, Int), _ text: String) -> EditorParams.Change {
      EditorParams.Change([
        "range": [
          "start": TextPosition(line: start.0, character: start.1).jsonValue,
          "end": TextPosition(line: end.0, character: end.1).jsonValue,
        ], "text": .string(text),
      ])
    }
    var source = SourceText("héllo\n😀 wörld\n")
    source = source.applying(change((1, 2), (1, 3), "—"))
    #expect(source.text == "héllo\n😀—wörld\n")
    source = source.applying(change((0, 5), (1, 2), ""))
    #expect(source.text == "héllo—wörld\n")
    source = source.applying(change((0, 99), (5, 0), "!"))
    #expect(source.text == "héllo—wörld!")
    #expect(source.applying(EditorParams.Change(["text": "new"])).text == "new")
  }

  @Test("a tree has every value's and name's bytes, also in a text that is being typed")
  func findsPlaces() {
    let text = #"{"a": {"b": [1, "zwei", {"c": }], "d"  "e": "#
    let tree = JSONTree(Array(text.utf8))
    let source = SourceText(text)
    func shown(_ path: [JSONTree.Step]) -> String? { tree.node(at: path).map { source.slice($0.range) } }
    #expect(shown([.member("a"), .member("b"), .element(1)]) == "\"zwei\"")
    #expect(shown([.member("a"), .member("b"), .element(2)]) == #"{"c": }"#)
    #expect(tree.root?.members?.first?.value?.members?.map(\.key) == ["b", "d", "e"])
    for offset in 0...text.utf8.count { _ = tree.spot(at: offset) }
    #expect(tree.spot(at: text.utf8.count)?.path == [.member("a"), .member("e")])
  }

  @Test("whatever bytes stand in a document, its places are within it")
  func survivesNoise() {
    var random = SystemRandomNumberGenerator()
    let alphabet = Array(#"{}[],:"\ae1 "#.utf8) + [0x0A, 0xC3, 0xA9]
    for _ in 0..<500 {
      let bytes = (0..<40).map { _ in alphabet[Int(random.next(upperBound: UInt(alphabet.count)))] }
      let tree = JSONTree(bytes)
      let source = SourceText(bytes: bytes)
      for offset in bytes.indices {
        if let spot = tree.spot(at: offset) { #expect(spot.range.upperBound <= bytes.count) }
        _ = source.offset(of: source.position(of: offset))
      }
    }
    _ = JSONTree(Array(repeating: UInt8(ascii: "["), count: 100_000))
  }

  @Test(
    "a problem's path leads to the bytes it is about",
    arguments: [
      ("metric", nil, false, "\"f11\""), ("optimizer.name", nil, false, "\"MIPRO\""),
      ("lm.modl", nil, true, "\"modl\""),
      ("tags.a.b", nil, false, "1"), ("program.steps[1].signature", "->>", false, "->>"),
      ("devset[7]", nil, false, "\"x.csv\""), ("lm.model", nil, false, "\"lm\""), ("seed", nil, false, "{"),
      ("program.steps[0].inputs.ünï", "2", true, "\"ünï\""),
    ] as [(String, String?, Bool, String)])
  func placesProblems(path: String, got: String?, isAboutName: Bool, marked: String) {
    let text = #"""
      {"metric": "f11", "optimizer": "MIPRO", "lm": {"modl": "m"}, "tags": {"a": 0, "a.b": 1}, "devset": {"path": "x.csv"},
       "program": {"steps": [{"inputs": {"ünï": 2}}, {"signature": "ä ->> b"}]}}
      """#
    let source = SourceText(text)
    let problem = Problem(path: path, message: "", got: got, isAboutName: isAboutName)
    #expect(source.slice(JSONTree(source.bytes).range(of: problem, in: source)) == marked)
  }

  @Test("a URI's path is what it was made from", arguments: ["/a/b.hone.json", "/Größe & co/100%.hone.json", "/a b"])
  func decodesURIs(path: String) {
    #expect(ProgramFile.path(ofURI: URL(filePath: path).absoluteString) == path)
    #expect(ProgramFile.path(ofURI: "untitled:1") == nil)
  }
}

@Suite("Texts for editors")
struct EditorTextTests {
  @Test("a unified difference has the lines that differ and three around them")
  func makesDiffs() {
    let left = (1...20).map { "line \($0)" }.joined(separator: "\n")
    let right = left.replacing("line 10\n", with: "line ten\nand more\n")
    let diff = TextDiff.unified(left, right, leftTitle: "a", rightTitle: "b")
    #expect(
      diff.hasPrefix(
        "--- a\n+++ b\n@@ -7,7 +7,8 @@\n line 7\n line 8\n line 9\n-line 10\n+line ten\n+and more\n line 11\n"))
    #expect(TextDiff.unified(left, left, leftTitle: "a", rightTitle: "b") == "")
  }

  @Test("what may stand at a place, and what it means, comes from the declarations")
  func knowsPlaces() throws {
    let root = try JSONReader.read(
      #"{"optimizer": {"name": "BootstrapRS"}, "metric": {"name": "regex"}, "lm": {"headers": {"X": {}}}, "valset": {}}"#
    )
    let vocabulary = Vocabulary(Catalog(), root: root)
    func names(_ path: String...) -> [String] {
      vocabulary.members(at: path.map(JSONTree.Step.member)).map(\.name)
    }
    #expect(names().contains("promptModel") && names().contains("devset") && !names().contains("detach"))
    #expect(names("optimizer").contains("num_candidate_programs") && !names("optimizer").contains("num_trials"))
    #expect(names("metric").contains("ignoreCase") && !names("metric").contains("tolerance"))
    #expect(names("lm").contains("apiBase") && !names("lm").contains("apiKey"))
    #expect(names("lm", "price") == ["input", "output"] && names("lm", "headers", "X") == ["env"])
    #expect(names("valset").contains("shuffleSeed") && names("budget").contains("maxCost"))
    #expect(names("autolog").contains("tracesFromEval") && names("program").contains("signature"))
    // Before its kind is said, an object offers what says it.
    let bare = Vocabulary(Catalog(), root: ["metric": [:]])
    #expect(bare.members(at: [.member("metric")]).map(\.name) == ["name", "client", "judge"])
    let metrics = vocabulary.values(at: [.member("metric"), .member("name")])
    #expect(metrics.contains { $0.value == "f1" && !$0.summary.isEmpty })
    #expect(
      vocabulary.values(at: [.member("adapter")]).map(\.value) == ["auto", "chat", "json", "plain", "xml"])
    #expect(vocabulary.values(at: [.member("lm"), .member("cache")]).map(\.value) == [true, false])
    #expect(
      vocabulary.meaning(of: "maxRounds", in: [.member("optimizer")])
        == "How often a row is tried, each time with fresh answers. Default: 1.")
    #expect(vocabulary.meaning(of: "nonsense", in: [.member("optimizer")]) == nil)
  }
}

/// An editor and a session, connected by two pipes.
private final class Wire: RequestHandler {
  let notifications = Mutex<[IncomingNotification]>([])
  let client: Connection
  private let server: Connection
  private let descriptors: [Int32]

  init(_ service: Service) throws {
    var (there, back): ([Int32], [Int32]) = ([0, 0], [0, 0])
    #expect(pipe(&there) == 0 && pipe(&back) == 0)
    descriptors = there + back
    let session = Session(service: service, extensions: [Editor.self], baseDirectory: NSTemporaryDirectory())
    server = Connection(try StandardStreams(input: there[0], output: back[1]), handler: session)
    let hearing = Hearing()
    client = Connection(try StandardStreams(input: back[0], output: there[1]), handler: hearing, framing: .headers)
    hearing.wire.withLock { $0 = self }
    server.start()
    client.start()
  }

  func plan(_ request: IncomingRequest) -> RequestPlan { .answer(.null) }

  /// The diagnostics of a version, once they have come.
  func diagnostics(_ version: Int) async throws -> [JSONValue] {
    for _ in 0..<1000 {
      let found = notifications.withLock { $0.last { $0.params["version"]?.intValue == version } }
      if let found { return found.params["diagnostics"]?.arrayValue ?? [] }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("no diagnostics of version \(version)")
    return []
  }

  func end() async {
    client.abort()
    server.abort()
    await client.waitUntilFinished()
    await server.waitUntilFinished()
    for descriptor in descriptors { close(descriptor) }
  }
}

/// Hears for a wire, which the connection needs before the wire is there.
private final class Hearing: RequestHandler {
  let wire = Mutex<Wire?>(nil)
  func plan(_ request: IncomingRequest) -> RequestPlan { .answer(.null) }
  func receive(_ notification: IncomingNotification) {
    wire.withLock { $0 }?.notifications.withLock { $0.append(notification) }
  }
  func connectionClosed(_ connection: Connection) { wire.withLock { $0 = nil } }
}

@Suite("The language server over a connection", .timeLimit(.minutes(1)))
struct LanguageServerTests {
  private static let uri = "file:///nowhere/x.hone.json"

  private func withWire(_ body: (Wire) async throws -> Void) async throws {
    try await withService { service in
      let wire = try Wire(service)
      do {
        try await body(wire)
      } catch {
        await wire.end()
        throw error
      }
      await wire.end()
    }
  }

  private func open(_ wire: Wire, _ text: String) {
    wire.client.notify(
      "textDocument/didOpen",
      ["textDocument": ["uri": .string(Self.uri), "languageId": "json", "version": 1, "text": .string(text)]])
  }

  @Test("initialize announces every request and every command that there is")
  func announces() async throws {
    try await withWire { wire in
      let answer = try await wire.client.request("initialize")
      let capabilities = try #require(answer["capabilities"]?.objectValue)
      for method in EditorMethod.all { #expect(capabilities[method.capability.name] != nil, "\(method.name)") }
      let commands = capabilities["executeCommandProvider"]?["commands"]?.arrayValue
      #expect(commands == EditorCommand.all.map { .string($0.name) })
      #expect(capabilities["methods"]?.arrayValue?.contains("compile") == true)
    }
  }

  @Test("changes are applied in order and the last text is what counts")
  func followsChanges() async throws {
    try await withWire { wire in
      let text = #"{"program": "a -> b", "devset": [{"a": 1, "b": 2}], "metric": "f1", "lm": "simulated"}"#
      open(wire, text)
      // A hundred changes at once, each at the place that the one before has made: "f1" becomes "f1xxx…".
      for number in 2...101 {
        let place: JSONValue = ["line": 0, "character": .int(65 + number - 2)]
        wire.client.notify(
          "textDocument/didChange",
          [
            "textDocument": ["uri": .string(Self.uri), "version": .int(number)],
            "contentChanges": [["range": ["start": place, "end": place], "text": "x"]],
          ])
      }
      let found = try await wire.diagnostics(101)
      #expect(found.count == 1)
      #expect(found[0]["data"]?["got"]?.stringValue?.contains("f1xxx") == true)
      #expect(found[0]["range"]?["start"]?["character"] == 62)
      #expect(found[0]["range"]?["end"]?["character"] == 166)
    }
  }

  @Test("documents of other kinds, and requests about documents that are not open, are passed over")
  func leavesOthersAlone() async throws {
    try await withWire { wire in
      wire.client.notify(
        "textDocument/didOpen",
        ["textDocument": ["uri": "file:///x.py", "languageId": "python", "version": 1, "text": "x"]])
      wire.client.notify("textDocument/didChange", ["textDocument": ["uri": "file:///x.py", "version": 2]])
      for method in EditorMethod.all where method.name.hasPrefix("textDocument/") {
        let answer = try await wire.client.request(
          method.name, ["textDocument": ["uri": "file:///x.py"], "position": ["line": 0, "character": 0]])
        #expect(answer == .null || answer == [])
      }
      #expect(wire.notifications.withLock { $0.isEmpty })
    }
  }

  @Test("a base directory that a request states is where its paths count from; it must be absolute")
  func takesBaseDirectories() async throws {
    try await withWire { wire in
      let missing: JSONObject = ["path": "none.json", "baseDirectory": "/nowhere at all"]
      do {
        _ = try await wire.client.request("loadProgram", missing)
        Issue.record("a file that is not there was loaded")
      } catch {
        #expect("\(error)".contains("/nowhere at all/none.json"))
      }
      do {
        _ = try await wire.client.request("loadProgram", missing.merging(["baseDirectory": "here"]))
        Issue.record("a relative directory was taken")
      } catch let failure as CallFailure {
        guard case .refused(let refusal) = failure else { throw failure }
        #expect(refusal.code == .invalidParams)
      }
    }
  }
}
