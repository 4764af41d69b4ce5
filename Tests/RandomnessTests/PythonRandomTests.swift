import Foundation
import JSON
import Randomness
import Testing

/// Vectors drawn by CPython 3.11.
struct PythonRandomTests {
  @Test func `64 bits are two words, the low one first`() {
    var random = PythonRandom(seed: 42)
    #expect(random.getrandbits(64) == 2_053_695_854_357_871_005)
    #expect(random.getrandbits(64) == 13_679_192_365_072_849_617)
    #expect(random.getrandbits(64) == 4_517_457_392_071_889_495)
    #expect(random.getrandbits(33) == 958_682_846)
    #expect(random.getrandbits(33) == 3_163_119_785)
  }

  @Test func `no bits are no draw`() {
    var random = PythonRandom(seed: 42)
    #expect(random.getrandbits(0) == 0)
    #expect(random.randbelow(0) == 0)
    #expect(random.getrandbits(64) == 2_053_695_854_357_871_005)
  }

  @Test func `the sign of a seed does not count`() {
    var negative = PythonRandom(seed: -7)
    var positive = PythonRandom(seed: 7)
    #expect(negative.random() == 0.32383276483316237)
    #expect(positive.random() == 0.32383276483316237)
    var least = PythonRandom(seed: .min)
    #expect(least.random() < 1)
  }

  @Test func `a seed beyond 32 bits counts whole`() {
    var random = PythonRandom(seed: 5)
    var other = PythonRandom(seed: 1 << 40 | 5)
    #expect(random.random() != 0.5043802970418443)
    #expect(other.random() == 0.5043802970418443)
    #expect(other.randint(-10...9) == -2)
    #expect(other.random() * 2 - 1 == 0.32759655901471585)
  }

  @Test func `samples small and large, and choices, take Python's draws`() {
    var random = PythonRandom(seed: 3)
    #expect(random.sample(0..<10, k: 3) == [3, 8, 2])
    #expect(random.sample(0..<30, k: 30).prefix(5) == [11, 19, 15, 20, 18])
    #expect(random.choices(["a", "b", "c"], k: 4) == ["c", "c", "a", "b"])
    #expect(random.choices(["a", "b", "c"], weights: [0, 0, 1], k: 2) == ["c", "c"])
    #expect(random.sample([Int](), k: 0) == [])
    #expect(random.random() == 0.7881088548980554)
  }

  @Test func `ranges may be as wide as Int`() {
    var random = PythonRandom(seed: 5)
    #expect(random.randint(Int.min...Int.max) == 6_278_314_744_523_580_143)
    #expect(random.randint(0...(1 << 62)) >= 0)
  }

  @Test func `where Python raises, nothing is drawn and the result is empty`() {
    var random = PythonRandom(seed: 3)
    #expect(random.choice([Int]()) == nil)
    #expect(random.choices([1, 2], weights: [1], k: 1) == [])
    #expect(random.choices([1, 2], weights: [0, 0], k: 1) == [])
    #expect(random.choices([1, 2], weights: [1, .infinity], k: 1) == [])
    #expect(random.sample([1, 2], k: -1) == [])
    #expect(random.sample(0..<10, k: 3) == [3, 8, 2])
    #expect(random.sample([1, 2], k: 9).sorted() == [1, 2])
  }

  @Test func `a copy continues on its own`() {
    var one = PythonRandom(seed: 0)
    _ = one.random()
    var two = one
    #expect(one.random() == two.random())
    _ = one.random()
    #expect(one.random() != two.random())
  }

  @Test func `seed 0 is a seed like any other`() {
    var random = PythonRandom(seed: 0)
    #expect(random.random() == 0.8444218515250481)
    #expect(random.shuffled(0..<20) != Array(0..<20))
  }
}

private let vectorFile = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "../shared/reference/fixtures/dspy/cpython_random_vectors.json")

private func vectors() throws -> JSONObject {
  try #require(JSONReader.read(Data(contentsOf: vectorFile)).objectValue)
}

@Test(.enabled(if: FileManager.default.fileExists(atPath: vectorFile.path)))
func `every recorded vector is drawn again`() throws {
  let vectors = try vectors()
  #expect(vectors.count >= 4)
  for (seedText, cases) in vectors {
    let seed = try #require(Int(seedText))
    let cases = try #require(cases.objectValue)
    for (name, expected) in cases {
      var random = PythonRandom(seed: seed)
      let count = expected.arrayValue?.count ?? 0
      #expect(count > 0)
      let drawn: [JSONValue] =
        switch name {
        case "getrandbits32": (0..<count).map { _ in .int(Int(random.getrandbits(32))) }
        case "random": (0..<count).map { _ in .double(random.random()) }
        case "shuffle_range20": random.shuffled(0..<20).map { .int($0) }
        case "sample_100_25": random.sample(0..<100, k: 25).map { .int($0) }
        case "sample_500_4": random.sample(0..<500, k: 4).map { .int($0) }
        case "randint_1_4": (0..<count).map { _ in .int(random.randint(1...4)) }
        case "choice_abcdef": (0..<count).map { _ in JSONValue(random.choice(Array("abcdef")).map(String.init)) }
        case "randint_0_1e9": (0..<count).map { _ in .int(random.randint(0...1_000_000_000)) }
        case "choices_w_1_2_7":
          random.choices([10, 20, 30], weights: [1, 2, 7], k: count).map { .int($0) }
        default: []
        }
      #expect(.array(drawn) == expected, "seed \(seed), \(name)")
    }
  }
}
