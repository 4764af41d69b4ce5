extension WordProblems {
  /// Problems of distance, time, area, volume and rates.
  static let measureTemplates: [Template] = [
    Template(name: "two-legs-of-a-trip") { draw in
      let who = draw.name()
      let first = draw.number(2...5)
      let fast = draw.number(50...95)
      let second = draw.number(2...4)
      let slow = draw.number(25...48)
      let vehicle = draw.word("train", "car", "coach")
      return Problem(
        question: "\(who) travels by \(vehicle) for \(first) hours at \(fast) miles per hour and then for \(second) "
          + "hours at \(slow) miles per hour. How many miles is the whole trip?",
        steps: [
          "The first part is \(first) * \(fast) = \(first * fast) miles.",
          "The second part is \(second) * \(slow) = \(second * slow) miles.",
          "The trip is \(first * fast) + \(second * slow) = \(first * fast + second * slow) miles.",
        ],
        answer: first * fast + second * slow)
    },
    Template(name: "meeting-travellers") { draw in
      let (one, two) = draw.names()
      let a = draw.number(4...12)
      let b = draw.number(5...14)
      let hours = draw.number(2...8)
      let distance = (a + b) * hours
      return Problem(
        question: "\(one) and \(two) start \(distance) kilometers apart and ride towards each other, \(one) at \(a) "
          + "and \(two) at \(b) kilometers per hour. After how many hours do they meet?",
        steps: [
          "Together they cover \(a) + \(b) = \(a + b) kilometers every hour.",
          "They meet after \(distance) / \(a + b) = \(hours) hours.",
        ],
        answer: hours)
    },
    Template(name: "fence-around-garden") { draw in
      let who = draw.name()
      let length = draw.number(8...30)
      let width = draw.number(4...20)
      let gate = draw.number(2...4)
      let price = draw.number(5...12)
      let around = 2 * (length + width)
      return Problem(
        question: "\(who) fences a rectangular garden that is \(length) meters long and \(width) meters wide, but for "
          + "a gate of \(gate) meters. A meter of fence costs $\(price). How many dollars does the fence cost?",
        steps: [
          "The way around is 2 * (\(length) + \(width)) = \(around) meters.",
          "Without the gate it is \(around) - \(gate) = \(around - gate) meters.",
          "The fence costs \(around - gate) * \(price) = \((around - gate) * price) dollars.",
        ],
        answer: (around - gate) * price)
    },
    Template(name: "tiles-on-a-floor") { draw in
      let length = draw.number(4...12)
      let width = draw.number(3...9)
      let perMeter = draw.number(of: [4, 9, 16])
      let spare = draw.number(5...25)
      return Problem(
        question: "A floor of \(length) by \(width) meters is covered with tiles, \(perMeter) to a square meter, and "
          + "\(spare) spare tiles are bought besides. How many tiles are bought?",
        steps: [
          "The floor has \(length) * \(width) = \(length * width) square meters.",
          "It takes \(length * width) * \(perMeter) = \(length * width * perMeter) tiles.",
          "With the spare ones it is \(length * width * perMeter) + \(spare) = "
            + "\(length * width * perMeter + spare) tiles.",
        ],
        answer: length * width * perMeter + spare)
    },
    Template(name: "tank-with-leak") { draw in
      let inflow = draw.number(9...20)
      let leak = draw.number(1...6)
      let minutes = draw.number(5...30)
      let start = draw.number(10...90)
      let net = inflow - leak
      return Problem(
        question: "A tank holds \(start) liters. A pipe fills in \(inflow) liters a minute while a leak loses \(leak) "
          + "liters a minute. How many liters are in the tank after \(minutes) minutes?",
        steps: [
          "Every minute adds \(inflow) - \(leak) = \(net) liters.",
          "In the whole time that is \(net) * \(minutes) = \(net * minutes) liters.",
          "The tank then holds \(start) + \(net * minutes) = \(start + net * minutes) liters.",
        ],
        answer: start + net * minutes)
    },
    Template(name: "reading-a-book") { draw in
      let who = draw.name()
      let daily = draw.number(12...30)
      let days = draw.number(3...6)
      let later = draw.number(15...40)
      let laterDays = draw.number(4...9)
      let pages = daily * days + later * laterDays
      return Problem(
        question: "\(who) reads a book of \(pages) pages: \(daily) pages a day for the first \(days) days, then "
          + "\(later) pages a day until the end. For how many days does \(who) read \(later) pages?",
        steps: [
          "The first days cover \(daily) * \(days) = \(daily * days) pages.",
          "There remain \(pages) - \(daily * days) = \(later * laterDays) pages.",
          "They take \(later * laterDays) / \(later) = \(laterDays) days.",
        ],
        answer: laterDays)
    },
    Template(name: "minutes-of-practice") { draw in
      let who = draw.name()
      let hours = draw.number(1...3)
      let minutes = draw.number(of: [10, 15, 20, 25, 35, 40, 50])
      let days = draw.number(3...7)
      let daily = hours * 60 + minutes
      let activity = draw.word("the piano", "chess", "tennis", "drawing")
      return Problem(
        question: "\(who) practices \(activity) for \(hours) hours and \(minutes) minutes a day on \(days) days a "
          + "week. How many minutes a week is that?",
        steps: [
          "A day has \(hours) * 60 + \(minutes) = \(daily) minutes of practice.",
          "A week has \(daily) * \(days) = \(daily * days) minutes.",
        ],
        answer: daily * days)
    },
    Template(name: "recipe-for-more-people") { draw in
      let who = draw.name()
      let people = draw.number(2...6)
      let grams = draw.number(of: [40, 50, 60, 75, 80, 90, 120])
      let guests = people * draw.number(2...5)
      let inHouse = draw.number(20...150)
      let ingredient = draw.word("flour", "rice", "sugar", "oats")
      let total = grams * guests
      return Problem(
        question: "A recipe for \(people) people takes \(grams * people) grams of \(ingredient). \(who) cooks it for "
          + "\(guests) people and has \(inHouse) grams at home. How many more grams of \(ingredient) are needed?",
        steps: [
          "One person takes \(grams * people) / \(people) = \(grams) grams.",
          "All of them take \(grams) * \(guests) = \(total) grams.",
          "There are \(total) - \(inHouse) = \(total - inHouse) grams to buy.",
        ],
        answer: total - inHouse)
    },
  ]
}
