import Failures
import JSON
@testable import Optimizers
import Randomness
import RowStorage
import Schema
import Testing

@Suite("MIPROv2's options and sizes")
struct MIPROv2OptionTests {
  private func plan(_ options: JSONObject, trainset: Int = 50, valset: Int? = 200, predictors: Int = 1) -> Plan {
    Plan(make(MIPROv2.self, options), trainset: trainset, valset: valset, predictors: predictors)
  }

  @Test("auto chooses the numbers of trials that DSPy chooses")
  func trials() {
    for (auto, one, two, three, five, zero) in [
      ("light", 10, 20, 31, 51, 9), ("medium", 18, 28, 43, 71, 18), ("heavy", 27, 33, 50, 83, 27),
    ] {
      #expect(plan(["auto": .string(auto)]).trials == one)
      #expect(plan(["auto": .string(auto)], predictors: 2).trials == two)
      #expect(plan(["auto": .string(auto)], predictors: 3).trials == three)
      #expect(plan(["auto": .string(auto)], predictors: 5).trials == five)
      let zeroShot = plan(["auto": .string(auto), "max_bootstrapped_demos": 0, "max_labeled_demos": 0])
      #expect(zeroShot.trials == zero)
      #expect(zeroShot.isZeroShot)
    }
  }

  @Test("auto chooses candidates and valset, and minibatches where the valset has more than 50 rows")
  func sizes() {
    let light = plan(["auto": "light"])
    #expect(light.valset == 100 && light.minibatch && light.rowsPerTrial == 35)
    #expect(light.instructCandidates == 3 && light.demoSets == 6)
    #expect(light.executions == 100 + 10 * 35 + 2 * 100)
    let heavy = plan(["auto": "heavy"], valset: 5000)
    #expect(heavy.valset == 1000 && heavy.demoSets == 18 && heavy.instructCandidates == 9)
    let small = plan(["auto": "medium"], valset: 50)
    #expect(!small.minibatch && small.rowsPerTrial == 50)
    #expect(small.executions == 50 + 18 * 50)
    let zeroShot = plan(["auto": "light", "max_bootstrapped_demos": 0, "max_labeled_demos": 0])
    #expect(zeroShot.instructCandidates == 6)
  }

  @Test("without a valset four fifths of the trainset become one, taken from its end")
  func split() throws {
    let options = make(MIPROv2.self, ["auto": .null, "num_candidates": 2, "num_trials": 2])
    let plan = Plan(options, trainset: 25, valset: nil, predictors: 1)
    #expect(plan.trainset == 5 && plan.valset == 20)
    var random = PythonRandom(seed: 9)
    let task = Bench().task(try program(), train: rows(0..<25), val: nil)
    let setup = Setup(options, task, random: &random)
    #expect(setup.trainset == Rows(rows(0..<5)))
    #expect(setup.valset == Rows(rows(5..<25)))
    #expect(Plan(options, trainset: 9000, valset: nil, predictors: 1).valset == 1000)
  }

  @Test("with auto a larger valset is sampled with the seed, before anything else is drawn")
  func sampled() throws {
    let options = make(MIPROv2.self, ["auto": "light", "seed": 3])
    var random = PythonRandom(seed: 3)
    let val = rows(0..<300)
    let setup = Setup(options, Bench().task(try program(), val: val), random: &random)
    var reference = PythonRandom(seed: 3)
    #expect(setup.valset == Rows(reference.sample(val, k: 100)))
    #expect(setup.trainset == Rows(rows(0..<30)))
  }

  @Test("auto and numbers exclude each other; without auto both numbers are needed")
  func validation() {
    #expect(settings(MIPROv2.self, ["auto": "light", "num_trials": 5]).1.map(\.path) == ["optimizer.auto"])
    #expect(settings(MIPROv2.self, ["auto": "light", "numCandidates": 5]).1.map(\.path) == ["optimizer.auto"])
    #expect(settings(MIPROv2.self, ["num_candidates": 6]).1.map(\.path) == ["optimizer.num_trials"])
    #expect(settings(MIPROv2.self, ["num_candidates": 6]).1.first?.message.contains("10") == true)
    #expect(settings(MIPROv2.self, ["num_trials": 6]).1.map(\.path) == ["optimizer.num_candidates"])
    #expect(settings(MIPROv2.self, ["auto": .null]).1.count == 2)
    #expect(settings(MIPROv2.self, ["auto": "ligth"]).1.map(\.path) == ["optimizer.auto"])
    #expect(settings(MIPROv2.self, ["auto": "ligth"]).1.first?.suggestion == "light")
    #expect(make(MIPROv2.self).auto == .light)
    #expect(make(MIPROv2.self, ["num_candidates": 6, "num_trials": 10]).auto == nil)
  }

  @Test("a seed of 0 is 0; without one it is 9")
  func seed() {
    #expect(make(MIPROv2.self, ["seed": 0]).json["seed"] == 0)
    #expect(make(MIPROv2.self).json["seed"] == 9)
  }

  @Test("what could never run is refused before any call")
  func check() {
    func problems(_ options: JSONObject, trainset: Int, valset: Int?) -> [String] {
      let list = ProblemList()
      make(MIPROv2.self, options).check(trainset: trainset, valset: valset, at: "optimizer", problems: list)
      return list.problems.map(\.path)
    }
    #expect(problems([:], trainset: 1, valset: nil) == ["trainset"])
    #expect(problems([:], trainset: 2, valset: nil).isEmpty)
    let numbers: JSONObject = ["num_candidates": 2, "num_trials": 2]
    #expect(problems(numbers, trainset: 10, valset: 20) == ["optimizer.minibatch_size"])
    #expect(problems(numbers.merging(["minibatch": false]), trainset: 10, valset: 20).isEmpty)
    #expect(problems(["auto": "light"], trainset: 10, valset: 20).isEmpty)
  }

  @Test("demo sets: none, labelled rows, an unshuffled bootstrap, then shuffled ones of random size")
  func demoSets() throws {
    let options = make(MIPROv2.self, ["auto": "light", "seed": 4])
    var random = PythonRandom(seed: 4)
    let setup = Setup(options, Bench().task(try program()), random: &random)
    let orders = setup.demoSets(options, random: &random)
    #expect(orders.count == 6)
    guard case .none = orders[0], case .labeled(4) = orders[1],
      case .bootstrapped(let plain, 4, 4) = orders[2], case .bootstrapped(let shuffled, let size, 4) = orders[3]
    else {
      Issue.record("\(orders)")
      return
    }
    #expect(plain == Array(0..<30))
    var reference = PythonRandom(seed: 4)
    var order = Array(0..<30)
    reference.shuffle(&order)
    #expect(shuffled == order)
    #expect(size == reference.randint(1...4))
  }
}

@Suite("The Parzen estimator")
struct TreeParzenSamplerTests {
  private static func observations(sizes: [Int], best: [Int], count: Int) -> [TreeParzenSampler.Observation] {
    var random = PythonRandom(seed: 5)
    return (0..<count).map { _ in
      let values = sizes.map { random.randint(0...($0 - 1)) }
      return (values, Double(zip(values, best).count { $0 == $1 }))
    }
  }

  @Test("suggestions lie near what scored well")
  func seeks() {
    let sizes = [6, 6, 6]
    let best = [4, 1, 3]
    let observations = Self.observations(sizes: sizes, best: best, count: 80)
    let sampler = TreeParzenSampler(sizes: sizes)
    var random = PythonRandom(seed: 1)
    var hits = 0
    for _ in 0..<100 {
      let values = sampler.suggest(after: observations, random: &random)
      #expect(zip(values, sizes).allSatisfy { $0 >= 0 && $0 < $1 })
      hits += zip(values, best).count { $0 == $1 }
    }
    // By chance it would be 50 of 300.
    #expect(hits > 180)
  }

  @Test("the same stream gives the same suggestions")
  func deterministic() {
    let observations = Self.observations(sizes: [3, 7], best: [1, 1], count: 12)
    let sampler = TreeParzenSampler(sizes: [3, 7])
    func some() -> [[Int]] {
      var random = PythonRandom(seed: 11)
      return (0..<10).map { _ in sampler.suggest(after: observations, random: &random) }
    }
    #expect(some() == some())
  }

  @Test("densities add up to one", arguments: [0, 1, 7, 60])
  func normalized(count: Int) {
    let sizes = [3, 4]
    let centers = Self.observations(sizes: sizes, best: [0, 0], count: count).map(\.values)
    let mixture = TreeParzenSampler.Mixture(centers, sizes: sizes)
    var sum = 0.0
    for a in 0..<3 { for b in 0..<4 { sum += exponential(mixture.logDensity([a, b])) } }
    #expect(abs(sum - 1) < 1e-9)
  }

  @Test("what is drawn is distributed as the density says")
  func draws() {
    let mixture = TreeParzenSampler.Mixture([[0, 1], [0, 1], [2, 3]], sizes: [3, 4])
    var random = PythonRandom(seed: 2)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<20_000 { counts[mixture.draw(&random), default: 0] += 1 }
    for a in 0..<3 {
      for b in 0..<4 {
        let expected = exponential(mixture.logDensity([a, b]))
        #expect(abs(Double(counts[[a, b], default: 0]) / 20_000 - expected) < 0.015)
      }
    }
  }

  @Test("without observations anything may come, and a variable with one value has that")
  func edges() {
    var random = PythonRandom(seed: 3)
    var seen: Set<Int> = []
    for _ in 0..<200 { seen.insert(TreeParzenSampler(sizes: [4, 1]).suggest(after: [], random: &random)[0]) }
    #expect(seen == [0, 1, 2, 3])
    #expect(TreeParzenSampler(sizes: [1]).suggest(after: [([0], 3)], random: &random) == [0])
  }

  /// e to the power of x, by squaring Taylor's series.
  private func exponential(_ x: Double) -> Double {
    let small = x / 4096
    var result = 1 + small * (1 + small / 2 * (1 + small / 3 * (1 + small / 4)))
    for _ in 0..<12 { result *= result }
    return result
  }
}

@Suite("The score board")
struct ScoreBoardTests {
  @Test("a combination tried on hard rows only is not taken for a bad one")
  func hardRows() throws {
    // Rows 0 to 9 are easy, 10 to 19 hard; [1] is better everywhere, but was asked hard rows only.
    var board = ScoreBoard(rows: 20)
    board.add([0], scores: (0..<20).map { ($0, $0 < 10 ? 0.9 : 0.3) }, full: 60)
    board.add([1], scores: (10..<20).map { ($0, 0.5) }, full: nil)
    board.add([2], scores: (0..<10).map { ($0, 0.7) }, full: nil)
    let ranking = board.ranking()
    #expect(ranking.map(\.combination) == [[1], [0], [2]])
  }

  @Test("effects that add up are found again")
  func additive() throws {
    var random = PythonRandom(seed: 6)
    let hardness = (0..<60).map { _ in random.random() * 0.4 }
    let quality = [0.5, 0.3, 0.55, 0.1, 0.42]
    var board = ScoreBoard(rows: 60)
    for (index, value) in quality.enumerated() {
      let rows = index == 0 ? Array(0..<60) : random.sample(Array(0..<60), k: 25)
      board.add([index], scores: rows.map { ($0, value + hardness[$0]) }, full: index == 0 ? 1 : nil)
    }
    let ranking = board.ranking()
    #expect(ranking.map(\.combination) == [[2], [0], [4], [1], [3]])
    let mean = hardness.reduce(0, +) / 60
    for (combination, estimate) in ranking {
      #expect(abs(estimate - 100 * (quality[combination[0]] + mean)) < 4)
    }
  }

  @Test("a full evaluation's estimate is its score where nothing else is known")
  func alone() throws {
    var board = ScoreBoard(rows: 4)
    board.add([0, 0], scores: [(0, 1), (1, 0), (2, 1), (3, 1)], full: 75)
    let first = try #require(board.ranking().first)
    #expect(abs(first.estimate - 75) < 1e-9)
    #expect(board.entries[[0, 0]]?.isFull == true)
    #expect(ScoreBoard(rows: 3).ranking().isEmpty)
  }

  @Test("later scores of a row replace earlier ones, equal estimates stand in the order of indices")
  func replaces() {
    var board = ScoreBoard(rows: 2)
    board.add([1], scores: [(0, 0), (1, 0)], full: nil)
    board.add([1], scores: [(0, 1), (1, 1)], full: nil)
    board.add([0], scores: [(0, 1), (1, 1)], full: nil)
    #expect(board.ranking().map(\.combination) == [[0], [1]])
    #expect(board.entries[[1]]?.scores == [0: 1, 1: 1])
  }
}
