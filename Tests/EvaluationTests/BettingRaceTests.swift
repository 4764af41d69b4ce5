import Randomness
import Statistics
import Testing

@Suite("BettingRace")
struct BettingRaceTests {
  /// A candidate's differences to a program that has half of the rows right, and what can be gained on each row: scores
  /// are 0 or 1, a fifth of the rows differ.
  private static func rows(_ count: Int, gain: Double, _ random: inout PythonRandom) -> [(Double, room: Double)] {
    let wins = Int((0.1 + gain / 2) * Double(count) + 0.5)
    let losses = Int((0.1 - gain / 2) * Double(count) + 0.5)
    let right = count / 2 - losses
    let rows: [(Double, room: Double)] =
      Array(repeating: (1, 1), count: wins) + Array(repeating: (-1, 0), count: losses)
      + Array(repeating: (0, 0), count: right) + Array(repeating: (0, 1), count: count - wins - losses - right)
    return random.shuffled(rows)
  }

  /// The share of races that drop the candidate, and how many rows they take on the average.
  private static func races(
    _ count: Int, gain: Double, alpha: Double, margin: Double = 0, isBounded: Bool = true
  ) -> (dropped: Double, rows: Double) {
    var random = PythonRandom(seed: 7)
    var (dropped, asked) = (0, 0)
    let repetitions = 400
    for _ in 0..<repetitions {
      let rows = Self.rows(count, gain: gain, &random)
      // Without room there are bets alone.
      var race = BettingRace(
        headroom: rows.map { isBounded ? $0.room : Double(count) }, alpha: alpha, margin: margin, mayTie: true)
      for (difference, _) in rows where !race.isDropped { race.note(difference: difference) }
      if race.isDropped { dropped += 1 }
      asked += race.count
    }
    return (Double(dropped) / Double(repetitions), Double(asked) / Double(repetitions))
  }

  @Test("bets and capital of a sequence as they are by hand")
  func byHand() {
    var race = BettingRace(rows: 10)
    race.note(difference: -1)
    #expect(race.capital == 1 + 0.2)
    // The rows left must gain 1/9 each: no loss is news in the candidate's disfavour.
    race.note(difference: 0)
    #expect(abs(race.capital - 1.2 * (1 + 0.7 / 9)) < 1e-12)
    race.note(difference: -1)
    #expect(abs(race.capital - 1.2 * (1 + 0.7 / 9) * (1 + 0.7 * 1.125)) < 1e-12)
    race.note(difference: 1)
    #expect(abs(race.capital - 1.2 * (1 + 0.7 / 9) * (1 + 0.7 * 1.125) * 0.5) < 1e-12)
    #expect(race.gain == -1 && race.count == 4 && !race.isDropped)
  }

  @Test("five losses running are enough at alpha 0.1, four are not")
  func losses() {
    var race = BettingRace(rows: 20)
    for _ in 0..<4 { race.note(difference: -1) }
    #expect(!race.isDropped)
    race.note(difference: -1)
    #expect(race.isDropped && race.capital > 10)
    // Later rows change nothing.
    race.note(difference: 1)
    #expect(race.isDropped)
    #expect(race.count == 5)
  }

  @Test(
    "as good a candidate, or a better one, is dropped by the bets no more often than alpha", arguments: [0.1, 0.2],
    [0.0, 0.04, 0.1])
  func falseDrops(alpha: Double, gain: Double) {
    #expect(Self.races(100, gain: gain, alpha: alpha, isBounded: false).dropped <= alpha)
    #expect(Self.races(300, gain: gain, alpha: alpha).dropped <= alpha)
  }

  @Test("one that gains the margin is dropped no more often than alpha")
  func margin() {
    #expect(Self.races(100, gain: 0.04, alpha: 0.2, margin: 0.04).dropped <= 0.2)
    // One that gains nothing falls soon where a gain is asked for.
    let null = Self.races(100, gain: 0, alpha: 0.2, margin: 0.03)
    #expect(null.dropped == 1 && null.rows < 85)
  }

  @Test("losers are dropped early, the worse the earlier")
  func losers() {
    let worse = Self.races(100, gain: -0.1, alpha: 0.1)
    let bad = Self.races(100, gain: -0.04, alpha: 0.1)
    #expect(worse.dropped == 1 && bad.dropped == 1)
    #expect(worse.rows > 45 && worse.rows < 57)
    #expect(bad.rows > 74 && bad.rows < 90)
    #expect(Self.races(300, gain: -0.1, alpha: 0.1).rows < 100)
  }

  @Test("what cannot be made up for any more ends it for certain")
  func curtailment() {
    // Two rows lost, and only two on which anything is to be gained: a tie at the best.
    var race = BettingRace(headroom: [0, 0, 0, 1, 0, 1], alpha: 1e-9)
    race.note(difference: -1)
    #expect(!race.isDropped)
    race.note(difference: -1)
    #expect(race.isDropped)
    var tie = BettingRace(headroom: [0, 0, 0, 1, 0, 1], alpha: 1e-9, mayTie: true)
    for difference in [-1.0, -1, 0, 1, 0, 1] { tie.note(difference: difference) }
    #expect(!tie.isDropped)
    // No gain after all rows is not better.
    var even = BettingRace(rows: 3, alpha: 1e-9)
    let drops = [1.0, 0, -1].map { difference in even.note(difference: difference) }
    #expect(drops == [false, false, true])
  }

  @Test("capital never falls below 0, whatever comes")
  func solvent() {
    var random = PythonRandom(seed: 3)
    for _ in 0..<200 {
      var race = BettingRace(headroom: Array(repeating: 100, count: 30), alpha: 1e-9, mayTie: true)
      for _ in 0..<30 { race.note(difference: [-1.0, 1, 0.3, -0.4, 1, 1][random.randint(0...5)]) }
      #expect(race.capital >= 0)
    }
  }
}
