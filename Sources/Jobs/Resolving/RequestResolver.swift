import Datasets
import Evaluation
package import Failures
import HTTPModels
import JSON
import LanguageModels
import Logging
import Messages
import Platform
import Programs
import RowStorage
package import Schema
import Simulation
import Tracking

/// What a request names and has to be looked up: programs, data sets, metrics, models. Each is made ready, or what is
/// wrong with it is noted beside what else is.
package struct RequestResolver {
  package let workspace: Workspace
  /// The name of the method, for messages.
  let method: String
  /// The request as it came.
  package let fields: FieldReader
  package let environment: CallEnvironment
  /// Where wrong data is noted: apart from a wrong request, except where a check wants to hear of everything.
  let dataProblems: ProblemList

  package init(_ workspace: Workspace, _ method: String, _ fields: FieldReader, _ environment: CallEnvironment) {
    var environment = environment
    // The request's file is in its tags, also when a run of it is resumed. What is allowed for a file is not for an agent,
    // which could name any.
    if !environment.isAgents, let file = fields.object["tags"]?[HoneTag.file]?.stringValue {
      environment.asker.file = file
    }
    let estimate = fields.object["estimate"] ?? .null
    environment.isEstimate = method == CompileJob.method && !estimate.isNull && estimate != false
    self.init(workspace, method, fields, in: environment)
  }

  private init(_ workspace: Workspace, _ method: String, _ fields: FieldReader, in environment: CallEnvironment) {
    self.workspace = workspace
    self.method = method
    self.fields = fields
    self.environment = environment
    dataProblems = environment.isCheck ? fields.problems : ProblemList()
  }

  /// For a part of the request that names programs and models of its own, such as a judge.
  func part(_ fields: FieldReader) -> RequestResolver { RequestResolver(workspace, method, fields, in: environment) }

  package var problems: ProblemList { fields.problems }

  /// Refuses the request with everything that is wrong with it and with its data; else gives what was made ready.
  ///
  /// - Parameter values: each nil only where a problem has been noted.
  package func whole<each Value>(_ values: repeat (each Value)?) throws(HoneError) -> (repeat each Value) {
    fields.finish()
    if !problems.isEmpty, problems !== dataProblems { for problem in dataProblems.problems { problems.add(problem) } }
    try problems.check("Invalid params for \(method)")
    try dataProblems.checkData("Invalid data for \(method)")
    return (repeat try Self.present(each values))
  }

  private static func present<Value>(_ value: Value?) throws(HoneError) -> Value {
    guard let value else {
      throw HoneError(.internalError, "A part of the request is missing, though nothing was found wrong with it.")
    }
    return value
  }

  /// Makes a job ready, data sets and all, apart from the threads that all requests share. Whoever is cancelled goes on at
  /// once, and leaves the rest, which soon hears of it, to itself.
  package func apart<Made: Sendable>(
    _ make: @escaping () async throws(HoneError) -> Made
  ) async throws(HoneError) -> Made {
    // It is used there alone from here on.
    nonisolated(unsafe) let make = make
    let cancelled: Result<Made, HoneError> = .failure(HoneError(.cancelled, "The request was cancelled."))
    return try await ComputationThreads.data.run(cancelled: cancelled) { await attempt(make) }.get()
  }

  // MARK: Data

  private var places: DatasetPlaces {
    var places = DatasetPlaces(home: workspace.home, baseDirectory: environment.baseDirectory)
    places.enclosure = environment.enclosure
    return places
  }

  /// Downloads GSM8K into the home directory if one of these asks for it and it is nowhere on this machine.
  ///
  /// A failure is no problem yet: reading the data set then says where it was looked for and how to get it.
  func fetch(_ datasets: Stated<DatasetShape>?...) async {
    let asked = datasets.compactMap { $0.map { Dataset.described(by: $0.value) } }.contains {
      $0["name"] == "gsm8k" && $0["path"] == nil
    }
    guard asked, !environment.isCheck, DatasetDownload.lacksGSM8K(places) else { return }
    workspace.logger.notice("Downloading GSM8K into \(workspace.home)/datasets")
    do throws(HoneError) {
      try await DatasetDownload.gsm8k(home: workspace.home, fetcher: NetworkFetcher())
    } catch {
      workspace.logger.warning("\(error.message)")
    }
  }

  /// The rows of a data set; nil where it is absent or wrong (noted).
  func dataset(_ stated: Stated<DatasetShape>?, at place: String) async throws(HoneError) -> Dataset? {
    guard let stated else { return nil }
    if environment.isResumed, let kept = try await KeptRows.dataset(stated.value, in: try await workspace.store()) {
      return kept
    }
    let value = Dataset.described(by: stated.value)
    if stated.value.stringValue != nil, let logged = try await loggedDataset(value) { return logged }
    let load = { (problems: ProblemList, dataProblems: ProblemList) in
      Dataset.load(stated.value, path: place, places: places, problems: problems, dataProblems: dataProblems)
    }
    let dataset: Dataset?
    if let cache = environment.datasets {
      dataset = cache.dataset(value, at: place, places: places, problems, dataProblems, load: load)
    } else {
      dataset = load(problems, dataProblems)
    }
    // Reading ends early then, and has found nothing wrong.
    if Task.isCancelled { throw HoneError(.cancelled, "The request was cancelled.") }
    if let error = dataset?.unreadable { throw error }
    return dataset
  }

  /// Where answers are kept: the store, which a check does not open.
  func answers() async throws(HoneError) -> any AnswerStore {
    if environment.isCheck { return MemoryAnswerStore() }
    return try await workStore()
  }

  /// Where the work of the request is kept: made where there is none, unless the request is one that does no work, or is
  /// going to be refused.
  func workStore() async throws(HoneError) -> TrackingStore {
    let isDone = !environment.isCheck && !environment.isEstimate && problems.isEmpty && dataProblems.isEmpty
    return isDone ? try await workspace.madeStore() : try await workspace.store()
  }

  /// Notes rows that lack an input of the program, the first few of each data set.
  func checkRows(_ dataset: Dataset?, _ name: String, _ program: Program?) {
    guard let dataset, let program else { return }
    let inputs = program.module.inputs.map(\.name)
    var noted = 0
    for (index, row) in dataset.rows.enumerated() {
      guard noted < 5 else { break }
      let notNumbers = inputs.filter { dataset.nonNumbers.contains($0) && row[$0]?.isNull == true }
      let missing = inputs.filter {
        row[$0] == nil || notNumbers.contains($0) || dataset.inputKeys?.contains($0) == false
      }
      guard !missing.isEmpty else { continue }
      noted += 1
      dataProblems.add(
        Problem(
          path: "\(name)[\(index)]",
          message:
            "The row has no \(missing.map { "\"\($0)\"" }.joined(separator: ", ")), which the program takes as input"
            + (notNumbers.isEmpty ? "." : ": NaN is no value."),
          got: JSONValue.array(row.keys.map(JSONValue.string)).excerpt, allowed: inputs,
          suggestion: missing.first.flatMap { nearest(to: $0, among: row.keys) }))
    }
  }

  /// The program with the form in which the request wants it asked: `auto` leaves it to be learned, none leaves what the
  /// program's state says.
  func adapting(_ resolved: ResolvedProgram?, to choice: AdapterChoice?) -> ResolvedProgram? {
    guard let choice, var resolved else { return resolved }
    resolved.program.adapter = choice.format
    if let format = choice.format, !format.suits(resolved.program) {
      problems.add(
        fields.place("adapter"),
        "The form \"\(format.rawValue)\" is for steps with one output that is a text, a number, a truth value or one of "
          + "several choices; this program has others. (ChainOfThought adds an output \"reasoning\".)")
    }
    return resolved
  }

  // MARK: Metric

  func metric(_ stated: Stated<MetricShape>?) async throws(HoneError) -> (any Metric)? {
    guard let value = stated?.value else { return nil }
    let place = fields.place("metric")
    switch MetricRegistry.make(value, path: place, among: workspace.metrics, problems: problems) {
    case .builtIn(let metric)?: return metric
    case .client(let object)?: return try await clientMetric(object, at: place)
    case .judge(let object)?:
      guard let request = JudgeMetricRequest.read(.object(object), at: place, problems) else { return nil }
      return try await judgeMetric(request.judge, at: place + ".judge")
    case nil: return nil
    }
  }

  // MARK: Models

  /// The model a request names as `lm`, else the one given as fallback, else the one in `$HONE_LM`.
  func taskConfiguration(
    _ stated: ModelConfiguration?, fallback: ModelConfiguration? = nil
  ) -> ModelConfiguration? {
    if let stated = stated ?? fallback { return stated }
    // What is wrong with the one that was named has been noted.
    if fields.object["lm"] ?? .null != .null { return nil }
    if let name = Environment.value("HONE_LM") { return ModelConfiguration(model: name) }
    problems.add(
      fields.place("lm"),
      "This member is required: a model such as \"openai/gpt-4o-mini\", or \"simulated\" to try things offline. $HONE_LM can name a default."
    )
    return nil
  }

  /// The client for a configuration; notes what keeps it from being made.
  func client(
    _ configuration: ModelConfiguration?, _ name: String, knowledge: [Dataset?], answers: any AnswerStore,
    service: Endpoint.Service = .chat
  ) -> ModelClient? {
    guard let configuration = priced(configuration, name) else { return nil }
    if let client = configuration.client {
      return clientModel(client, configuration, at: fields.place(name), answers: answers)
    }
    do throws(HoneError) {
      try noteKeys(configuration, at: fields.place(name))
      let rows =
        configuration.isSimulated && !environment.isCheck ? Self.knowledge(knowledge.compactMap { $0 }) : KnownRows()
      let model = try ModelRegistry.make(configuration, knowledge: rows, service: service)
      return ModelClient(model: model, configuration: configuration, answers: answers)
    } catch {
      if error.problems.isEmpty {
        problems.add(fields.place(name), [error.message, error.remedy].compactMap(\.self).joined(separator: " "))
      } else {
        for problem in error.problems { problems.add(problem) }
      }
      return nil
    }
  }

  /// The budget of a request, within what the caller may spend.
  func budget(_ own: Budget.Limits?, asking models: [ModelConfiguration?]) -> Budget {
    guard let ceiling = environment.ceiling else { return Budget(own ?? Budget.Limits()) }
    return ceiling.budget(own, asking: models.compactMap(\.self))
  }

  /// The configuration with a price by which the ceiling can be kept.
  private func priced(_ configuration: ModelConfiguration?, _ name: String) -> ModelConfiguration? {
    guard let configuration, let ceiling = environment.ceiling, !environment.isCheck else { return configuration }
    if let priced = ceiling.priced(configuration) { return priced }
    if environment.isEstimate { return configuration }
    problems.add(
      fields.place(name),
      "The operator bounds the dollars of this session, and the price of \(configuration.model) is not known to Hone. "
        + "Name a model with a list price, or \"simulated\".")
    return nil
  }

  /// Notes the keys that the configuration would send where they may not go.
  private func noteKeys(_ configuration: ModelConfiguration, at place: String) throws(HoneError) {
    // Neither a check nor an estimate asks a model.
    guard !environment.isCheck, !environment.isEstimate else { return }
    for refusal in try workspace.keyRules.refusals(configuration, by: environment.asker) {
      problems.add("\(place).\(refusal.member)", refusal.message)
    }
  }

  /// What the simulated model may know: its own word problems, and the rows of the request.
  private static func knowledge(_ datasets: [Dataset]) -> KnownRows {
    let parts = [Rows(WordProblems.allRows)] + datasets.filter { !$0.name.hasPrefix("word-problems") }.map(\.rows)
    return KnownRows(count: parts.reduce(0) { $0 + $1.count }) { index in
      var index = index
      for part in parts {
        if index < part.count { return known(part[index]) }
        index -= part.count
      }
      return ([:], [:])
    }
  }

  private static let reasons: Set<String> = ["reasoning", "rationale", "gold_reasoning"]

  /// A row does not say which of its members are asked for; the last one is what it is about.
  private static func known(_ row: JSONObject) -> KnownRows.Row {
    guard let label = row.keys.last(where: { $0 == "answer" }) ?? row.keys.last else { return ([:], [:]) }
    return (row.filter { $0 != label && !reasons.contains($0) }, row.filter { $0 == label || reasons.contains($0) })
  }
}

/// Fetches data sets over HTTP.
private struct NetworkFetcher: DatasetFetcher {
  func fetch(_ url: String, maximumBytes: Int) async throws(HoneError) -> [UInt8] {
    try await HTTPDocument.fetch(url, maximumBytes: maximumBytes)
  }
}
