import Evaluation
import Failures
package import JSON
import LanguageModels
import Programs
import Randomness
import RowStorage
package import Schema

/// Lets several optimizers search one after the other, each from the best program so far.
///
/// As DSPy's BetterTogether (Soylu et al. 2024, arXiv 2407.10930) does it with prompts; weights stay as they are. It
/// departs from it in that a step goes on from the best program, not the last one, in that all steps share one run with
/// one budget and score on the same rows, and in how much of the trainset scores where there is no valset.
package struct Chain: Optimizer {
  package static let name = "Chain"
  package static let otherNames = ["BetterTogether", "chain"]
  package static let summary = "Lets several optimizers search one after the other, each from the best program so far."
  package static let members: [Member<Self>] = [
    Member("strategy", \.strategy, isRequired: true, "The steps in their order: \"BootstrapFewShot -> GEPA\"."),
    Member(
      "optimizers", \.optimizers,
      "The settings of the steps, by the name that the strategy has for them; a step of another name says in \"name\" which "
        + "optimizer it is."),
    Member(
      "valset_ratio", \.valsetRatio, in: 0.01...0.99,
      "Which part of the trainset is set aside for scoring where there is no valset."),
    Member("seed", \.seed, "The seed of the steps that have one and whose settings name none."),
  ]

  package struct Step: Sendable {
    /// What the strategy calls it.
    package var name: String
    package var optimizer: any Optimizer
  }

  package var strategy = ""
  package var optimizers: JSONObject = [:]
  package var valsetRatio = 0.3
  package var seed = 0
  package private(set) var steps: [Step] = []

  package init() {}

  package var writesTexts: Bool { steps.contains { $0.optimizer.writesTexts } }

  package mutating func settle(_ fields: FieldReader) {
    guard !strategy.isEmpty else {
      if fields.gives("strategy") { fields.problems.add(fields.place("strategy"), Self.advice) }
      return
    }
    let names = strategy.split(separator: "->", omittingEmptySubsequences: false).map { String($0).trimmed }
    guard names.allSatisfy({ !$0.isEmpty }) else {
      fields.problems.add(
        Problem(path: fields.place("strategy"), message: Self.advice, got: JSONValue.string(strategy).excerpt))
      return
    }
    for key in optimizers.keys where !names.contains(key) {
      fields.problems.add(
        Problem(
          path: fields.place("optimizers") + ".\(key)", message: "The strategy has no step \"\(key)\".", got: key,
          allowed: names, suggestion: nearest(to: key, among: names)))
    }
    var seen: [String: Int] = [:]
    for name in names {
      let times = seen[name, default: 0]
      seen[name] = times + 1
      // What is wrong with a step that comes again has been noted.
      let problems = times == 0 ? fields.problems : ProblemList()
      if let optimizer = step(
        name, seed: seed + times, FieldReader(fields.object, path: fields.path, problems: problems))
      {
        steps.append(Step(name: name, optimizer: optimizer))
      }
    }
  }

  private static let advice = "Name the steps with \"->\" between them, such as \"BootstrapFewShot -> GEPA\"."

  /// One step's optimizer; a step that comes again searches with another seed, so that it does not do the same.
  private func step(_ name: String, seed: Int, _ fields: FieldReader) -> (any Optimizer)? {
    let registry = OptimizerRegistry.all
    let isSet = optimizers[name] != nil
    let place = isSet ? fields.place("optimizers") + ".\(name)" : fields.place("strategy")
    var value = optimizers[name] ?? .string(name)
    if let named = value.stringValue { value = ["name": .string(named)] }
    guard var object = value.objectValue else {
      fields.problems.expected("an object of settings", at: place, got: value)
      return nil
    }
    if object["name"] == nil { object["name"] = .string(name) }
    guard let kind = object["name"]?.stringValue, let type = registry.type(named: kind) else {
      let known = registry.names.filter { !Self.excluded.contains($0) }
      let kind = object["name"]?.stringValue ?? name
      fields.problems.add(
        Problem(
          path: place, message: "There is no optimizer \(JSONValue.string(kind).excerpt) that could be a step.",
          got: String(kind.prefix(80)), allowed: known, suggestion: nearest(to: kind, among: known + optimizers.keys)))
      return nil
    }
    guard !Self.excluded.contains(type.name) else {
      fields.problems.add(
        place,
        type.name == Self.name
          ? "A chain is no step of a chain; name its steps here."
          : "\(type.name) makes its program of an earlier run, so it is no step of a chain.")
      return nil
    }
    if object["seed"] == nil, type.fields.contains(where: { $0.name == "seed" }) { object["seed"] = .int(seed) }
    return registry.read(.object(object), at: place, fields.problems)
  }

  private static let excluded = [name, Ensemble.name]

  package var makesVectors: Bool { steps.contains { $0.optimizer.makesVectors } }

  package var proposers: [(place: String, proposer: ClientProposer)] {
    var seen: Set<String> = []
    return steps.filter { seen.insert($0.name).inserted }.flatMap { step in
      step.optimizer.proposers.map { ("optimizers.\(step.name).\($0.place)", $0.proposer) }
    }
  }

  package func check(trainset: Int, valset: Int?, at place: String, problems: ProblemList) {
    guard valset != nil || trainset >= 4 else {
      problems.add(
        "trainset", "A chain without a valset sets a part of the trainset aside, which needs at least 4 rows.")
      return
    }
    let aside = valset == nil ? scored(of: trainset) : 0
    var seen: Set<String> = []
    for step in steps where seen.insert(step.name).inserted {
      step.optimizer.check(
        trainset: trainset - aside, valset: valset ?? aside, at: "\(place).optimizers.\(step.name)", problems: problems)
    }
  }

  /// How many rows of a trainset are set aside.
  private func scored(of count: Int) -> Int {
    min(count - 1, max(1, Int((Double(count) * valsetRatio).rounded())))
  }

  /// The task with a valset: that of the request, or a part of the trainset.
  private func divided(_ task: CompileTask) -> CompileTask {
    guard task.valset?.isEmpty != false else { return task }
    var random = PythonRandom(seed: seed)
    let order = random.sample(task.trainset.indices, k: task.trainset.count)
    let count = scored(of: order.count)
    var task = task
    task.valset = task.trainset.choosing(order.prefix(count))
    task.trainset = task.trainset.choosing(order.dropFirst(count))
    return task
  }

  package func parts(_ task: CompileTask) -> [PlannedPart] {
    let task = divided(task)
    let valset = task.valset ?? []
    var parts = [task.adapterPart(examples: nil, rows: valset)].compactMap(\.self)
    parts.append(task.scoring("baseline", 1...1, rows: valset, shortest: task.student, longest: task.student))
    for (number, step) in steps.enumerated() {
      // The form is decided and the program scored once, before the first step.
      for var part in step.optimizer.parts(task) where part.name != "adapter" && part.name != "baseline" {
        part.name = "\(number + 1) \(step.name): \(part.name)"
        parts.append(part)
      }
      let longest = LabeledFewShot(k: 16).labeled(task.student, trainset: task.trainset)
      parts.append(
        task.scoring("\(number + 1) \(step.name): score", 0...1, rows: valset, shortest: task.student, longest: longest)
      )
    }
    return parts
  }

  package func compile(_ task: CompileTask) async -> SearchResult {
    let task = divided(task)
    return await task.withAdapter(examples: nil, rows: task.valset ?? []) { task in
      let search = ChainSearch(self, task)
      await search.run()
      await task.session.events.emit(.summary(search.summary))
      return search.result
    }
  }
}
