import Hone

// A program, data, and what is right, as a function of our own.
let program = try Program("question -> answer", module: .chainOfThought)
let trainset = Dataset.named("word-problems", split: "train")
let valset = Dataset.named("word-problems", split: "val", limit: 30)
let metric = Metric("same number") { example, outputs in
  let digits = outputs["answer"]?.stringValue?.filter(\.isNumber) ?? ""
  return digits == example["answer"]?.stringValue?.filter(\.isNumber)
}

// The search, tracked in .hone: `hone runs` and `hone ui` show it.
let workspace = Workspace(home: ".hone")
let found = try await workspace.compile(
  program, with: .miprov2(auto: .light, seed: 1), trainset: trainset, valset: valset, metric: metric,
  model: .simulated, options: RunOptions(experiment: "library", budget: Budget(maxCalls: 3000))
) { event in
  if case .trial(let trial) = event { print("trial \(trial.number): \(trial.figures.score ?? 0)") }
}
print("\(found.baselineScore ?? 0) -> \(found.score ?? 0), run \(found.runID ?? "")")

// The best program answers, and is kept in a file that DSPy's load() reads too.
let best = try found.program()
print(
  try await workspace.predict(best, ["question": "Ann has 3 apples and buys 4. How many has she?"], model: .simulated)
    .outputs)
try best.write(to: "best.json")
await workspace.close()
