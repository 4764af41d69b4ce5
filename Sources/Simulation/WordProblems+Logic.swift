extension WordProblems {
  /// Problems of ages, shares, comparisons, averages and counting.
  static let logicTemplates: [Template] = [
    Template(name: "age-in-years-to-come") { draw in
      let (older, younger) = draw.names()
      let age = draw.number(4...15)
      let times = draw.number(2...4)
      let years = draw.number(3...12)
      return Problem(
        question: "\(older) is \(times) times as old as \(younger), who is \(age). How old will \(older) be in "
          + "\(years) years?",
        steps: [
          "\(older) is \(times) * \(age) = \(times * age) years old now.",
          "Later it will be \(times * age) + \(years) = \(times * age + years).",
        ],
        answer: times * age + years)
    },
    Template(name: "equal-shares-with-rest") { draw in
      let who = draw.name()
      let people = draw.number(4...9)
      let each = draw.number(5...15)
      let rest = draw.number(1...3)
      let eaten = draw.number(4...12)
      let total = people * each + rest + eaten
      let sweet = draw.word("cookies", "plums", "toffees", "cherries")
      return Problem(
        question: "\(who) picks up a bowl of \(total) \(sweet) and eats \(eaten). The others are shared so that each "
          + "of \(people) children gets as many as every other, as many as possible. How many \(sweet) are left over?",
        steps: [
          "After eating there are \(total) - \(eaten) = \(total - eaten) \(sweet).",
          "Each child gets \(each), which takes \(people) * \(each) = \(people * each).",
          "Left over are \(total - eaten) - \(people * each) = \(rest).",
        ],
        answer: rest)
    },
    Template(name: "more-and-fewer") { draw in
      let (one, two) = draw.names()
      let base = draw.number(12...50)
      let more = draw.number(3...20)
      let times = draw.number(2...4)
      let thing = draw.word("stamps", "shells", "cards", "coins")
      let second = base + more
      return Problem(
        question: "\(one) has \(base) \(thing). \(two) has \(more) more than \(one), and their teacher has \(times) "
          + "times as many as \(two). How many \(thing) do the three have together?",
        steps: [
          "\(two) has \(base) + \(more) = \(second) \(thing).",
          "The teacher has \(times) * \(second) = \(times * second).",
          "Together they have \(base) + \(second) + \(times * second) = \(base + second + times * second).",
        ],
        answer: base + second + times * second)
    },
    Template(name: "score-for-an-average") { draw in
      let who = draw.name()
      let a = draw.number(60...90)
      let b = draw.number(60...90)
      let wanted = draw.number(70...80)
      let needed = 3 * wanted - a - b
      return Problem(
        question: "\(who) scored \(a) and \(b) points in two tests. How many points must \(who) score in the third "
          + "test for an average of exactly \(wanted) points?",
        steps: [
          "Three tests with that average have 3 * \(wanted) = \(3 * wanted) points.",
          "The first two have \(a) + \(b) = \(a + b) points.",
          "The third must have \(3 * wanted) - \(a + b) = \(needed) points.",
        ],
        answer: needed)
    },
    Template(name: "fraction-of-a-class") { draw in
      let denominator = draw.number(3...6)
      let numerator = draw.number(2...denominator - 1)
      let part = draw.number(4...12)
      let pupils = denominator * part
      let joined = draw.number(2...7)
      let club = draw.word("choir", "chess club", "swimming team", "school paper")
      return Problem(
        question: "Of \(pupils) pupils, \(numerator)/\(denominator) are in the \(club). Then \(joined) more of them "
          + "join it. How many pupils are in the \(club) now?",
        steps: [
          "One part is \(pupils) / \(denominator) = \(part) pupils.",
          "At first there are \(numerator) * \(part) = \(numerator * part) pupils.",
          "Now there are \(numerator * part) + \(joined) = \(numerator * part + joined).",
        ],
        answer: numerator * part + joined)
    },
    Template(name: "legs-in-a-yard") { draw in
      let who = draw.name()
      let cows = draw.number(3...20)
      let birds = draw.number(5...35)
      let sold = draw.number(1...cows - 1)
      let bird = draw.word("hens", "ducks", "geese")
      let left = cows - sold
      return Problem(
        question: "\(who) keeps \(cows) cows and \(birds) \(bird). After \(sold) cows are sold, how many legs do the "
          + "animals that are left have in all?",
        steps: [
          "There are \(cows) - \(sold) = \(left) cows.",
          "They have \(left) * 4 = \(left * 4) legs.",
          "The \(bird) have \(birds) * 2 = \(birds * 2) legs.",
          "In all there are \(left * 4) + \(birds * 2) = \(left * 4 + birds * 2) legs.",
        ],
        answer: left * 4 + birds * 2)
    },
    Template(name: "rows-and-empty-seats") { draw in
      let rows = draw.number(8...25)
      let seats = draw.number(10...30)
      let percent = draw.number(of: [10, 20, 30, 40, 50])
      let all = rows * 10 * seats
      let free = all * percent / 100
      return Problem(
        question: "A hall has \(rows * 10) rows of \(seats) seats, and \(percent)% of the seats are empty. How many "
          + "seats are taken?",
        steps: [
          "There are \(rows * 10) * \(seats) = \(all) seats.",
          "Empty are \(all) * \(percent) / 100 = \(free).",
          "Taken are \(all) - \(free) = \(all - free).",
        ],
        answer: all - free)
    },
    Template(name: "passengers-in-and-out") { draw in
      let start = draw.number(15...40)
      let out = draw.number(3...12)
      let boarding = draw.number(4...15)
      let double = draw.number(2...3)
      let middle = start - out + boarding
      return Problem(
        question: "A bus sets out with \(start) passengers. At the first stop \(out) get off and \(boarding) get on. "
          + "At the last stop the number on board has become \(double) times what it was after the first stop. How "
          + "many passengers are on board then?",
        steps: [
          "After the first stop there are \(start) - \(out) + \(boarding) = \(middle) passengers.",
          "At the last stop there are \(double) * \(middle) = \(double * middle).",
        ],
        answer: double * middle)
    },
  ]
}
