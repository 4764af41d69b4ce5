import Basics
import Failures
import GRDB
import JSON
import Schema
import Testing
import Traces

@testable import Tracking

@Suite struct ExperimentTests {
  @Test func `Experiment 0 is there from the start`() async throws {
    try await withStore { store async throws in
      let found = try await store.experiment(id: "0")
      #expect(found.name == "Default")
      #expect(found.artifactLocation == "mlflow-artifacts:/0")
      #expect(found.lifecycle == .active)
    }
  }

  @Test func `An experiment is made once by its name`() async throws {
    try await withStore { store async throws in
      let first = try await store.experiment(named: "Maths / Größe")
      #expect(first.id == "1")
      #expect(try await store.experiment(named: "Maths / Größe").id == "1")
      #expect(await failure { _ = try await store.createExperiment(name: "Maths / Größe") }?.kind == .invalidParams)
      #expect(await failure { _ = try await store.experiment(named: "") }?.kind == .invalidParams)
      #expect(
        await failure { _ = try await store.experiment(named: String(repeating: "x", count: 501)) }?.kind
          == .invalidParams)
    }
  }

  @Test func `Unknown experiments are not found`() async throws {
    try await withStore { store async throws in
      for id in ["7", "x", "", "0 OR 1=1", "99999999999999999999"] {
        #expect(await failure { _ = try await store.experiment(id: id) }?.kind == .notFound)
        #expect(await failure { _ = try await store.createRun(NewRun(experimentID: id)) }?.kind == .notFound)
      }
    }
  }

  @Test func `Experiments are tagged, renamed, deleted, restored and listed by page`() async throws {
    try await withStore { store async throws in
      for index in 1...5 { _ = try await store.createExperiment(name: "e\(index)", tags: [KeyValue("k", "\(index)")]) }
      try await store.setExperimentTag("2", key: "a", value: "b")
      try await store.deleteExperimentTag("2", key: "k")
      #expect(try await store.experiment(id: "2").tags == [KeyValue("a", "b")])
      try await store.renameExperiment("3", to: "drei")
      #expect(await failure { try await store.renameExperiment("3", to: "e4") }?.kind == .invalidParams)
      try await store.setLifecycle(.deleted, ofExperiment: "4")
      let first = try await store.experiments(maxResults: 3)
      #expect(first.items.map(\.name) == ["e5", "drei", "e2"])
      let second = try await store.experiments(maxResults: 3, pageToken: first.nextPageToken)
      #expect(second.items.map(\.name) == ["e1", "Default"])
      #expect(second.nextPageToken == nil)
      #expect(try await store.experiments(view: .deletedOnly).items.map(\.name) == ["e4"])
      #expect(await failure { _ = try await store.experiment(named: "e4") }?.kind == .invalidParams)
      try await store.setLifecycle(.active, ofExperiment: "4")
      #expect(try await store.experiments(view: .all).items.count == 6)
    }
  }
}

@Suite struct RunTests {
  @Test func `A run is made with MLflow's tags and read back whole`() async throws {
    try await withStore { store async throws in
      let parent = try await store.createRun(NewRun(name: "parent"))
      let id = "0123456789abcdef0123456789abcdef"
      let run = try await store.createRun(
        NewRun(
          id: id, name: "eval_full_0", parentID: parent.id, startTime: 1000, user: "ann", sourceName: "compile.py",
          sourceType: "LOCAL", tags: [KeyValue("team", "blue")]))
      #expect(run.info.id == id)
      #expect(run.info.status == .running)
      #expect(run.info.parentID == parent.id)
      #expect(run.info.startTime == 1000)
      #expect(run.info.artifactURI == "mlflow-artifacts:/0/\(id)/artifacts")
      #expect(
        run.tags.map(\.key) == [
          "mlflow.parentRunId", "mlflow.runName", "mlflow.source.name", "mlflow.source.type", "mlflow.user", "team",
        ])
      #expect(try await store.run(id) == run)
      #expect(try await store.children(of: parent.id).map(\.id) == [id])
      #expect(RunRecord(run).jsonValue["startTime"] == "1970-01-01T00:00:01.000Z")
    }
  }

  @Test func `Ids are checked and names made up`() async throws {
    try await withStore { store async throws in
      for id in ["", "x", "0123456789ABCDEF0123456789ABCDEF", "../../etc/passwd0000000000000000"] {
        #expect(await failure { _ = try await store.createRun(NewRun(id: id)) }?.kind == .invalidParams)
      }
      let run = try await store.createRun(NewRun())
      #expect(await failure { _ = try await store.createRun(NewRun(id: run.id)) }?.kind == .invalidParams)
      #expect(run.info.name.split(separator: "-").count == 3)
      #expect(run.info.name == RunNames.name(for: run.id))
      #expect(await failure { _ = try await store.createRun(NewRun(parentID: "nobody")) }?.kind == .notFound)
      #expect(await failure { _ = try await store.run("nobody") }?.kind == .notFound)
    }
  }

  @Test func `Tags that name the run or its parent change the run, and the other way round`() async throws {
    try await withStore { store async throws in
      let parent = try await store.createRun(NewRun())
      let run = try await store.createRun(NewRun(tags: [KeyValue("mlflow.runName", "by tag")]))
      #expect(run.info.name == "by tag")
      try await store.setTag(run: run.id, "mlflow.parentRunId", parent.id)
      try await store.updateRun(run.id, name: "renamed")
      let changed = try await store.run(run.id)
      #expect(changed.info.parentID == parent.id)
      #expect(changed.tags.value(of: "mlflow.runName") == "renamed")
      try await store.deleteTag(run: run.id, "mlflow.parentRunId")
      #expect(try await store.run(run.id).info.parentID == nil)
      #expect(await failure { try await store.deleteTag(run: run.id, "none") }?.kind == .notFound)
    }
  }

  @Test func `A final status ends the run`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      #expect(try await store.updateRun(run.id, status: .finished, endTime: 77).endTime == 77)
      #expect(try await store.updateRun(run.id, status: .running).endTime == nil)
      let ended = try await store.updateRun(run.id, status: .failed)
      #expect((ended.endTime ?? 0) >= run.info.startTime)
      #expect(ended.status == .failed)
    }
  }

  @Test func `A parameter is written once and whole`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      let long = String(repeating: "é", count: 50_000)
      try await store.logParam(run: run.id, "instructions", long)
      try await store.logParam(run: run.id, "instructions", long)
      let error = await failure { try await store.logParam(run: run.id, "instructions", "other") }
      #expect(error?.kind == .invalidParams)
      #expect(error?.problems.first?.path == "params.instructions")
      #expect(try await store.run(run.id).params.value(of: "instructions") == long)
    }
  }

  @Test func `A NUL hides nothing that stands behind it`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun(name: "a\u{0}b"))
      for _ in 0..<2 { try await store.logParam(run: run.id, "reply", "before\u{0}behind") }
      let read = try await store.run(run.id)
      #expect(read.params.value(of: "reply") == "before\u{FFFD}behind")
      #expect(read.tags.value(of: "mlflow.runName") == "a\u{FFFD}b")
      #expect(read.info.name == "a\u{FFFD}b")
    }
  }

  @Test func `A batch is logged whole or not at all`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      try await store.logParam(run: run.id, "seed", "0")
      let error = await failure {
        try await store.log(
          run: run.id, params: [KeyValue("new", "1"), KeyValue("seed", "1")], metrics: [MetricPoint("m", 1)],
          tags: [KeyValue("t", "1")])
      }
      #expect(error?.kind == .invalidParams)
      let read = try await store.run(run.id)
      #expect(read.params == [KeyValue("seed", "0")])
      #expect(read.metrics.isEmpty)
      #expect(read.tags.value(of: "t") == nil)
    }
  }

  @Test(arguments: ["", String(repeating: "k", count: 251), "a\nb", "a\u{0}b"])
  func `Bad keys are refused`(key: String) async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      #expect(await failure { try await store.logParam(run: run.id, key, "v") }?.kind == .invalidParams)
      #expect(await failure { try await store.setTag(run: run.id, key, "v") }?.kind == .invalidParams)
      #expect(await failure { try await store.logMetric(run: run.id, MetricPoint(key, 1)) }?.kind == .invalidParams)
    }
  }

  @Test func `The latest metric is that of the highest step, then timestamp, then value`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      let points: [(Double, Int, Int)] = [(1, 5, 10), (9, 4, 99), (2, 5, 11), (7, 5, 11), (3, 5, 11), (8, -3, 0)]
      try await store.log(run: run.id, metrics: points.map { MetricPoint("m", $0.0, step: $0.1, timestamp: $0.2) })
      #expect(try await store.run(run.id).metrics == [MetricPoint("m", 7, step: 5, timestamp: 11)])
      let history = try await store.metricHistory(run: run.id, key: "m")
      #expect(history.items.map(\.step) == [-3, 4, 5, 5, 5, 5])
      #expect(await failure { try await store.logMetric(run: run.id, MetricPoint("m", 1, timestamp: -1)) } != nil)
    }
  }

  @Test func `NaN and the infinities are kept, and an identical point once`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      let values: [Double] = [.nan, .infinity, -.infinity, .leastNonzeroMagnitude, 0.1 + 0.2, -0.0]
      for (step, value) in values.enumerated() {
        for _ in 0..<2 { try await store.logMetric(run: run.id, MetricPoint("v", value, step: step, timestamp: 5)) }
      }
      let read = try await store.metricHistory(run: run.id, key: "v").items.map(\.value)
      #expect(read.count == 6)
      #expect(read[0].isNaN)
      #expect(read[1] == .infinity)
      #expect(read[2] == -.infinity)
      #expect(read[3] == .leastNonzeroMagnitude)
      #expect(read[4] == 0.1 + 0.2)
      try await store.logMetric(run: run.id, MetricPoint("only", .nan, step: 1, timestamp: 1))
      #expect(try await store.run(run.id).metric("only")?.isNaN == true)
      // A number outdoes a NaN of the same step and time, not the other way round.
      try await store.logMetric(run: run.id, MetricPoint("only", -5, step: 1, timestamp: 1))
      try await store.log(run: run.id, metrics: [MetricPoint("only", .nan, step: 1, timestamp: 1)])
      #expect(try await store.run(run.id).metric("only") == -5)
    }
  }

  @Test func `A metric's history is paged`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      try await store.log(
        run: run.id, metrics: (0..<25).map { MetricPoint("m", Double($0), step: $0 / 2, timestamp: 1) })
      var values: [Double] = []
      var token: String?
      repeat {
        let page = try await store.metricHistory(run: run.id, key: "m", maxResults: 7, pageToken: token)
        values += page.items.map(\.value)
        token = page.nextPageToken
      } while token != nil
      #expect(values == (0..<25).map(Double.init))
      let error = await failure {
        _ = try await store.metricHistory(run: run.id, key: "m", pageToken: "garbage!")
      }
      #expect(error?.kind == .invalidParams)
    }
  }

  @Test func `A deleted run refuses logging until it is restored`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      try await store.deleteRun(run.id)
      #expect(try await store.run(run.id).info.lifecycle == .deleted)
      #expect(await failure { try await store.logParam(run: run.id, "a", "b") }?.kind == .invalidParams)
      #expect(await failure { try await store.updateRun(run.id, status: .finished) }?.kind == .invalidParams)
      try await store.restoreRun(run.id)
      try await store.logParam(run: run.id, "a", "b")
    }
  }

  @Test func `Dataset inputs are kept with their context`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      let input = DatasetInput(
        name: "gsm8k", digest: "abcd1234", source: #"{"path":"x"}"#, schema: "{}", profile: #"{"rows":3}"#,
        context: "training")
      var second = input
      second.context = "validation"
      try await store.logInputs(run: run.id, [input, second])
      try await store.logInputs(run: run.id, [input])
      #expect(try await store.run(run.id).inputs == [input, second])
    }
  }

  @Test func `Evaluation rows come back by index and page`() async throws {
    try await withStore { store async throws in
      let run = try await store.createRun(NewRun())
      let trace = TraceID.random()
      let rows = (0..<10).map { index in
        index == 3
          ? EvaluationRow(index: 3, score: nil, failed: true, errorKind: "timeout", errorMessage: "late")
          : EvaluationRow(index: index, score: Double(index) / 10, traceID: trace, exampleDigest: .of("row \(index)"))
      }
      try await store.logResults(run: run.id, rows.reversed())
      let first = try await store.results(run: run.id, maxResults: 6)
      let second = try await store.results(run: run.id, maxResults: 6, pageToken: first.nextPageToken)
      #expect(first.items + second.items == rows)
      #expect(second.nextPageToken == nil)
      try await store.logResults(run: run.id, [EvaluationRow(index: 3, score: 1)])
      #expect(try await store.results(run: run.id).items[3].score == 1)
    }
  }

  @Test func `A lease tells a living process's runs from a dead one's`() async throws {
    try await withStore { store async throws in
      let mine = try await store.createRun(NewRun())
      let orphan = try await store.createRun(NewRun())
      let abroad = try await store.createRun(NewRun())
      let free = try await store.createRun(NewRun())
      for run in [mine, orphan, abroad] { try await store.acquireLease(run: run.id) }
      try await store.acquireLease(run: mine.id)
      #expect(try await store.runsWithDeadLeases().isEmpty)
      try await store.write { db in
        // A process of this machine with our number, but begun at another time; and one of another machine.
        try db.execute(
          sql: "UPDATE leases SET process_start = 'x' WHERE run = (SELECT seq FROM runs WHERE id = ?)",
          arguments: [orphan.id])
        try db.execute(
          sql: "UPDATE leases SET host = 'x', expires_ms = 5 WHERE run = (SELECT seq FROM runs WHERE id = ?)",
          arguments: [abroad.id])
      }
      #expect(try await store.runsWithDeadLeases().map(\.id) == [orphan.id, abroad.id])
      #expect(try await store.renewLeases().sorted() == [orphan.id, abroad.id].sorted())
      try await store.acquireLease(run: orphan.id)
      #expect(try await store.runsWithDeadLeases().map(\.id) == [abroad.id])
      try await store.updateRun(abroad.id, status: .killed)
      #expect(try await store.runsWithDeadLeases().isEmpty)
      // A process on another machine keeps what it has until its lease is over.
      try await store.write { db in
        try db.execute(
          sql: """
            UPDATE leases SET host = 'elsewhere', expires_ms = 9000000000000000
            WHERE run = (SELECT seq FROM runs WHERE id = ?)
            """, arguments: [mine.id])
      }
      #expect(await failure { try await store.acquireLease(run: mine.id) }?.kind == .invalidParams)
      try await store.releaseLease(run: orphan.id)
      try await store.acquireLease(run: free.id)
    }
  }
}
