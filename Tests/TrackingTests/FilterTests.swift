import Failures
import Foundation
import JSON
import RegularExpressions
import Testing
import Traces

@testable import Tracking

/// Three runs, a deleted one and a bare one, for the filters to tell apart.
private func withRuns(_ body: (TrackingStore) async throws -> Void) async throws {
  try await withStore { store async throws in
    func make(
      _ name: String, _ start: Int, end: Int?, _ status: RunStatus, metrics: [(String, Double)],
      params: [(String, String)], tags: [(String, String)]
    ) async throws -> String {
      let run = try await store.createRun(
        NewRun(name: name, startTime: start, user: "ann", tags: tags.map { KeyValue($0.0, $0.1) }))
      try await store.log(
        run: run.id, params: params.map { KeyValue($0.0, $0.1) },
        metrics: metrics.map { MetricPoint($0.0, $0.1, step: 0, timestamp: 1) })
      if let end { try await store.updateRun(run.id, status: status, endTime: end) }
      return run.id
    }
    let parent = try await make(
      "parent", 1000, end: 21_300, .finished, metrics: [("eval_full", 36.67), ("eval_minibatch", 10)],
      params: [("minibatch", "True"), ("num_trials", "6"), ("lm_params", #"{"model": "openai/sim"}"#)],
      tags: [("note", "100% *sure* [x]?")])
    _ = try await make(
      "eval_full_0", 2000, end: 3700, .finished, metrics: [("eval", 26.67)],
      params: [("lm_params", #"{"model": "openai/sim"}"#)], tags: [("mlflow.parentRunId", parent), ("note", "it's")])
    _ = try await make(
      "eval_full_1", 3000, end: 3500, .failed, metrics: [("eval", .nan), ("loss", .infinity)], params: [],
      tags: [("mlflow.parentRunId", parent)])
    _ = try await make("bare", 4000, end: nil, .running, metrics: [], params: [], tags: [])
    let gone = try await make("gone", 5000, end: nil, .running, metrics: [("eval", 99)], params: [], tags: [])
    try await store.deleteRun(gone)
    let full = try await store.searchRuns(filter: "run_name = 'eval_full_0'").items[0]
    try await store.logInputs(run: full.id, [DatasetInput(name: "gsm8k", digest: "d1", context: "validation")])
    try await body(store)
  }
}

private func names(_ store: TrackingStore, _ filter: String) async throws -> [String] {
  try await store.searchRuns(filter: filter, orderBy: ["start_time"]).items.map(\.info.name)
}

@Suite struct RunFilterTests {
  @Test func `Filters choose the runs they describe`() async throws {
    let table: [(String, [String])] = [
      ("", ["parent", "eval_full_0", "eval_full_1", "bare"]),
      ("metrics.eval > 20", ["eval_full_0"]),
      ("metrics.`eval` > 20", ["eval_full_0"]),
      ("metrics.\"eval\" > 2e1", ["eval_full_0"]),
      ("metric.eval >= -1 and params.lm_params like '%sim%'", ["eval_full_0"]),
      ("metrics.eval = 26.67", ["eval_full_0"]),
      ("metrics.eval != 0", ["eval_full_0", "eval_full_1"]),
      ("metrics.eval <> 26.67", ["eval_full_1"]),
      ("metrics.eval<30", ["eval_full_0"]),
      ("metrics.loss > 1e308", ["eval_full_1"]),
      ("metrics.eval IS NULL", ["parent", "bare"]),
      ("metrics.eval IS NOT NULL", ["eval_full_0", "eval_full_1"]),
      ("params.minibatch = 'True'", ["parent"]),
      ("param.num_trials = \"6\"", ["parent"]),
      ("parameters.num_trials IN ('5', '6')", ["parent"]),
      ("params.num_trials NOT IN ('5')", ["parent"]),
      ("params.sample IS NULL", ["parent", "eval_full_0", "eval_full_1", "bare"]),
      ("tags.mlflow.parentRunId = 'x'", []),
      ("tags.`mlflow.parentRunId` IS NULL", ["parent", "bare"]),
      ("tags.mlflow.parentRunId IS NOT NULL", ["eval_full_0", "eval_full_1"]),
      ("tags.\"mlflow.runName\" = 'eval_full_0'", ["eval_full_0"]),
      ("tags.note = 'it''s'", ["eval_full_0"]),
      ("tags.note = \"it's\"", ["eval_full_0"]),
      ("tags.note LIKE '100_ *sure*%'", ["parent"]),
      ("tags.note LIKE '%[x]?'", ["parent"]),
      ("tags.note LIKE '%[y]?'", []),
      ("tags.note ILIKE '%SURE%'", ["parent"]),
      ("tags.note LIKE '%SURE%'", []),
      ("tags.note NOT LIKE '%sure%'", ["eval_full_0"]),
      ("attributes.status = 'FINISHED'", ["parent", "eval_full_0"]),
      ("status = 'finished'", []),
      ("attribute.status != 'FAILED'", ["parent", "eval_full_0", "bare"]),
      ("status IN ('FAILED', 'RUNNING')", ["eval_full_1", "bare"]),
      ("run_name LIKE 'eval_full%'", ["eval_full_0", "eval_full_1"]),
      ("run_name LIKE 'eval_full_0'", ["eval_full_0"]),
      ("attributes.run_name ILIKE 'EVAL_full%'", ["eval_full_0", "eval_full_1"]),
      ("attributes.`run name` = 'eval_full_0'", ["eval_full_0"]),
      ("attr.run_name IN ('bare', 'parent')", ["parent", "bare"]),
      ("run_id IN ('a','b')", []),
      ("run_id NOT IN ('a')", ["parent", "eval_full_0", "eval_full_1", "bare"]),
      ("start_time > 2000", ["eval_full_1", "bare"]),
      ("created >= 4000", ["bare"]),
      ("end_time IS NULL", ["bare"]),
      ("end_time != 5", ["parent", "eval_full_0", "eval_full_1", "bare"]),
      ("user_id = 'ann'", ["parent", "eval_full_0", "eval_full_1", "bare"]),
      ("artifact_uri LIKE 'mlflow-artifacts:/0/%'", ["parent", "eval_full_0", "eval_full_1", "bare"]),
      ("attributes.duration > 1.6", ["parent", "eval_full_0"]),
      ("duration <= 0.5", ["eval_full_1"]),
      ("parent_run_id IS NULL", ["parent", "bare"]),
      ("datasets.name = 'gsm8k' AND dataset.digest IN ('d1') AND dataset.context='validation'", ["eval_full_0"]),
      ("datasets.name != 'gsm8k'", []),
      ("datasets.name IS NULL", ["parent", "eval_full_1", "bare"]),
      ("metrics.eval > 20 OR status = 'RUNNING'", ["eval_full_0", "bare"]),
      ("NOT metrics.eval > 20", ["parent", "eval_full_1", "bare"]),
      ("NOT NOT metrics.eval > 20", ["eval_full_0"]),
      ("(metrics.eval > 20)", ["eval_full_0"]),
      ("status = 'FAILED' OR status = 'RUNNING' AND run_name = 'parent'", ["eval_full_1"]),
      ("(status = 'FAILED' OR status = 'FINISHED') AND NOT (run_name = 'parent')", ["eval_full_0", "eval_full_1"]),
      ("NOT end_time > 0", ["bare"]),
    ]
    try await withRuns { store async throws in
      for (filter, expected) in table {
        let found = try await names(store, filter)
        #expect(found == expected, "\(filter)")
      }
    }
  }

  @Test(arguments: [
    ("metric.eval = 'x'", 13, "number"), ("params.minibatch = True", 18, "string in quotes"),
    ("start_time > '0'", 12, "number"), ("inputs.name='x'", 1, "inputs"),
    ("metrics.eval BETWEEN 1 AND 2", 14, "operator"),
    ("run_name RLIKE 'eval.*'", 10, "RLIKE"), ("metrics.eval>30;", 16, ";"), ("tags.x = 5", 8, "string in quotes"),
    ("foo = 'x'", 1, "foo"), ("metrics.eval = NaN", 14, "number"), ("run_name = 'open", 12, "not closed"),
    ("status =", 9, "the end"), ("AND status = 'x'", 1, "AND"), ("status = 'x' status = 'y'", 14, "status"),
    ("(status = 'x'", 14, "the end"), ("status = 'x')", 13, ")"), ("metrics. > 1", 1, "both sides"),
    ("status IN 'x'", 11, "("), ("status IN ()", 12, ")"), ("status IN (1)", 12, "string in quotes"),
    ("status IS 'x'", 11, "NULL"), ("metrics.eval LIKE 'x'", 14, "LIKE"), ("status > 'x'", 8, ">"),
    ("status ! 'x'", 8, "!="), ("startus = 'x'", 1, "status"), ("status = `x`", 10, "Back ticks"),
    ("start_time IN ('1')", 12, "IN"),
  ])
  func `A mistake is reported with its place`(filter: String, position: Int, mentions: String) async throws {
    try await withStore { store async throws in
      let error = try #require(await failure { _ = try await store.searchRuns(filter: filter) })
      #expect(error.kind == .invalidParams)
      #expect(error.details["position"] == String(position), "\(error)")
      #expect(error.description.contains(mentions), "\(error)")
    }
  }

  @Test func `A near name is suggested`() async throws {
    try await withStore { store async throws in
      let error = await failure { _ = try await store.searchRuns(filter: "statuss = 'x'") }
      #expect(error?.problems.first?.suggestion == "status")
      let entity = await failure { _ = try await store.searchRuns(filter: "metrcs.a = 1") }
      #expect(entity?.problems.first?.suggestion == "metrics")
    }
  }

  @Test func `Depth, length and number of comparisons are bounded`() async throws {
    try await withStore { store async throws in
      let clause = "status = 'x'"
      let hostile = [
        String(repeating: "(", count: 5000) + clause + String(repeating: ")", count: 5000),
        String(repeating: "NOT ", count: 4000) + clause,
        Array(repeating: clause, count: 201).joined(separator: " OR "),
        "status = '" + String(repeating: "x", count: 30_000) + "'",
      ]
      for filter in hostile {
        #expect(await failure { _ = try await store.searchRuns(filter: filter) }?.kind == .invalidParams)
      }
      _ = try await store.searchRuns(filter: Array(repeating: clause, count: 200).joined(separator: " OR "))
      _ = try await store.searchRuns(
        filter: String(repeating: "(", count: 49) + clause + String(repeating: ")", count: 49))
    }
  }

  @Test func `Hostile filters end in rows or in a complaint, never in anything else`() async throws {
    let pieces = [
      "metrics", ".", "`", "\"", "'", "(", ")", "AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "ILIKE", "RLIKE", "=",
      "!=",
      "<", ">", "1", "-1e999", "NaN", "status", "run_id", "tags.a", "params.b = 'c'", "span.name", "trace.text",
      "feedback.x",
      " ", "  ", "\n", "\u{0}", ";", "--", "/*", "DROP TABLE runs", "%", "_", "[", "\\", "é", "🙂", "?1", ":a", "$b",
      "e\u{301}",
      "metrics.a > 1", "status = 'x'", "name RLIKE '(a*)*b'", "IN ('a', 'b')", "duration", "json_each", "||", "1.",
      ".5", "+",
      "metrics.`x``y` = 1", "attributes.", "execution_time < 3", "span.attributes.a > 2", "feedback.ok = true",
    ]
    var generator = SeededGenerator(state: 0)
    try await withRuns { store async throws in
      await store.record(typicalTrace(1, shared: demoMessages))
      await store.flush()
      var accepted = 0
      for round in 0..<5000 {
        let count = Int.random(in: 1...12, using: &generator)
        let separator = Bool.random(using: &generator) ? " " : ""
        let filter = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined(separator: separator)
        let error = await failure {
          if round.isMultiple(of: 2) {
            _ = try await store.searchRuns(filter: filter)
          } else {
            _ = try await store.searchTraces(filter: filter)
          }
        }
        if let error {
          #expect(error.kind == .invalidParams, "\(filter): \(error)")
        } else {
          accepted += 1
        }
      }
      #expect(accepted > 20)
      let runs = try await store.searchRuns(view: .all).items
      #expect(runs.count == 5)
    }
  }

  @Test func `LIKE patterns become the same GLOB patterns`() {
    #expect(globPattern(like: "a%b_c") == "a*b?c")
    #expect(globPattern(like: "*?[]") == "[*][?][[]]")
  }
}

@Suite struct RunOrderTests {
  @Test func `Missing values come last either way, NaN just before them`() async throws {
    let table: [([String], [String])] = [
      ([], ["bare", "eval_full_1", "eval_full_0", "parent"]),
      (["metrics.eval DESC"], ["eval_full_0", "eval_full_1", "bare", "parent"]),
      (["metrics.`eval` ASC"], ["eval_full_0", "eval_full_1", "bare", "parent"]),
      (["params.num_trials"], ["parent", "bare", "eval_full_1", "eval_full_0"]),
      (["end_time desc"], ["parent", "eval_full_0", "eval_full_1", "bare"]),
      (["duration"], ["eval_full_1", "eval_full_0", "parent", "bare"]),
      (["attributes.status", "run_name DESC"], ["eval_full_1", "parent", "eval_full_0", "bare"]),
      (["tags.mlflow.runName desc"], ["parent", "eval_full_1", "eval_full_0", "bare"]),
      (["Created desc"], ["bare", "eval_full_1", "eval_full_0", "parent"]),
    ]
    try await withRuns { store async throws in
      for (keys, expected) in table {
        let found = try await store.searchRuns(orderBy: keys).items.map(\.info.name)
        #expect(found == expected, "\(keys)")
      }
    }
  }

  @Test(arguments: ["metrics.eval DSC", "start_time DESC, run_id", "dataset.name", "", "metrics", "'x'", "a b c"])
  func `Bad sort keys are refused`(key: String) async throws {
    try await withStore { store async throws in
      let error = await failure { _ = try await store.searchRuns(orderBy: [key]) }
      #expect(error?.kind == .invalidParams)
      #expect(error?.problems.first?.path == "orderBy[0]")
    }
  }

  @Test(arguments: [[], ["metrics.m DESC"], ["metrics.m"], ["params.p"], ["params.p DESC", "metrics.m"], ["end_time"]])
  func `Pages together are the whole, also while runs arrive`(orderBy: [String]) async throws {
    try await withStore { store async throws in
      let values: [Double?] = [3, nil, .nan, 1, .infinity, 1, -.infinity, nil, .nan, 2, 0, 7]
      for (index, value) in values.enumerated() {
        let run = try await store.createRun(NewRun(startTime: 1000 + index / 2))
        if let value { try await store.logMetric(run: run.id, MetricPoint("m", value, step: 0, timestamp: 1)) }
        if index % 3 > 0 { try await store.logParam(run: run.id, "p", "v\(index % 4)") }
        if index % 5 > 1 { try await store.updateRun(run.id, status: .finished, endTime: index) }
      }
      let whole = try await store.searchRuns(orderBy: orderBy).items.map(\.id)
      #expect(whole.count == values.count)
      var paged: [String] = []
      var token: String?
      repeat {
        let page = try await store.searchRuns(orderBy: orderBy, maxResults: 5, pageToken: token)
        paged += page.items.map(\.id)
        token = page.nextPageToken
        _ = try await store.createRun(NewRun(startTime: 9_000_000))
      } while token != nil
      #expect(paged.filter(whole.contains) == whole)
      #expect(Set(paged).count == paged.count)
    }
  }

  @Test func `Sorting by long texts still gives tokens that work`() async throws {
    try await withStore { store async throws in
      for index in 0..<4 {
        let run = try await store.createRun(NewRun())
        try await store.logParam(run: run.id, "text", "\(3 - index)" + String(repeating: "é", count: 300_000))
      }
      let first = try await store.searchRuns(orderBy: ["params.text"], maxResults: 3)
      let second = try await store.searchRuns(orderBy: ["params.text"], maxResults: 3, pageToken: first.nextPageToken)
      #expect((first.items + second.items).map { $0.params[0].value.first } == ["0", "1", "2", "3"])
      #expect((first.nextPageToken ?? "").utf8.count < 2000)
    }
  }

  @Test func `Garbage tokens and those of another query are refused`() async throws {
    try await withStore { store async throws in
      for _ in 0..<3 { _ = try await store.createRun(NewRun()) }
      let token = try #require(try await store.searchRuns(maxResults: 1).nextPageToken)
      #expect(token.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
      _ = try await store.searchRuns(maxResults: 2, pageToken: token)
      for bad in ["x", "AAAA", "eyJvZmZzZXQiOiA1fQ==", token + "A", String(token.dropLast(4)), "é", "W10"] {
        #expect(await failure { _ = try await store.searchRuns(pageToken: bad) }?.kind == .invalidParams)
      }
      #expect(await failure { _ = try await store.searchRuns(filter: "status = 'x'", pageToken: token) } != nil)
      #expect(await failure { _ = try await store.searchTraces(pageToken: token) }?.kind == .invalidParams)
      for size in [0, -1, 50_001] {
        #expect(await failure { _ = try await store.searchRuns(maxResults: size) }?.kind == .invalidParams)
      }
    }
  }

  @Test func `Experiments and views narrow a search`() async throws {
    try await withStore { store async throws in
      let other = try await store.experiment(named: "other")
      let a = try await store.createRun(NewRun())
      let b = try await store.createRun(NewRun(experimentID: other.id))
      try await store.deleteRun(a.id)
      #expect(try await store.searchRuns(experimentIDs: [other.id]).items.map(\.id) == [b.id])
      #expect(try await store.searchRuns(experimentIDs: []).items.isEmpty)
      #expect(try await store.searchRuns(experimentIDs: ["x'); --"]).items.isEmpty)
      #expect(try await store.searchRuns(view: .deletedOnly).items.map(\.id) == [a.id])
      #expect(try await store.searchRuns(view: .all).items.count == 2)
    }
  }
}

@Suite struct PatternTests {
  @Test(arguments: [
    ("Predict.*", "Predict.forward", true), ("^dict", "Predict", false), ("dict$", "Predict", true),
    ("a|b", "xbx", true),
    ("^(a|b)+c?$", "abab", true), ("^(?:ab){2,3}$", "ababab", true), ("^(?:ab){2,3}$", "ab", false),
    ("[a-c]+\\d", "zb7", true),
    ("[^a]", "a", false), ("a{,2}", "a{,2}", true), ("\\.", "a", false), ("", "anything", true),
    ("(?i)HELLO", "say hello", true),
    ("é+", "ééé", true), ("^.$", "é", true), ("[]]", "]", true), ("x*", "", true), ("^$", "", true),
    ("^a*?b$", "aaab", true),
    ("^a{3}$", "aaa", true), ("^a{2,}$", "aaaa", true), ("a.c", "a\nc", false), ("[\\w-]+@", "me-too@x", true),
  ])
  func `Regular expressions search`(pattern: String, text: String, matches: Bool) throws {
    #expect(try PatternCache.compiled(pattern).matches(text) == matches)
  }

  @Test(arguments: ["(", ")", "[", "*a", "a\\", "[z-a]", "(?=x)", "\\q", "a{2000}", "((((a{50}){50}){50}){50})"])
  func `Malformed and monstrous patterns are refused`(pattern: String) {
    #expect(throws: RegularExpression.SyntaxError.self) { try PatternCache.compiled(pattern) }
  }

  @Test func `A pattern that defeats backtracking takes no time`() throws {
    let pattern = try PatternCache.compiled("^(a+)+$")
    #expect(try !pattern.matches(String(repeating: "a", count: 2000) + "b"))
    let scalars = Array(String(repeating: "a", count: 300_000).unicodeScalars)
    #expect(throws: RegularExpression.Abandoned.tooManySteps) {
      try pattern.firstMatch(in: scalars, maximumWork: 100_000)
    }
  }

  @Test(arguments: [
    ("abc", "a%", true), ("abc", "A%", false), ("abc", "%c", true), ("abc", "_b_", true), ("abc", "__", false),
    ("", "%", true),
    ("a%b", "a%b", true), ("mississippi", "%iss%ip%", true), ("abc", "%%%d", false),
    ("né", "n_", true), ("né", "n__", false), ("aéb", "%é_", true), ("🙂x", "_x", true), ("ééé", "%_é", true),
  ])
  func `LIKE matches whole texts`(text: String, pattern: String, matches: Bool) {
    #expect(matchesLike(text, pattern, foldingASCII: false) == matches)
  }
}
