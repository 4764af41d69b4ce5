extension WordProblems {
  /// Problems of buying, selling, saving and earning.
  static let tradeTemplates: [Template] = [
    Template(name: "boxes-given-away") { draw in
      let (who, friend) = draw.names()
      let boxes = draw.number(3...9)
      let each = draw.number(8...24)
      let given = draw.number(5...20)
      let item = draw.word("pencils", "marbles", "stickers", "buttons")
      let all = boxes * each
      return Problem(
        question: "\(who) buys \(boxes) boxes of \(item) with \(each) \(item) in each box, and gives \(given) of them "
          + "to \(friend). How many \(item) does \(who) have left?",
        steps: [
          "The boxes hold \(boxes) * \(each) = \(all) \(item).",
          "After the gift \(all) - \(given) = \(all - given) are left.",
        ],
        answer: all - given)
    },
    Template(name: "change-from-note") { draw in
      let who = draw.name()
      let count = draw.number(2...6)
      let price = draw.number(2...7)
      let other = draw.number(3...9)
      let note = draw.number(of: [60, 80, 100])
      let thing = draw.word("notebooks", "sandwiches", "candles", "plants")
      let cost = count * price
      return Problem(
        question: "\(who) buys \(count) \(thing) at $\(price) each and a lamp for $\(other), and pays with $\(note). "
          + "How many dollars of change should \(who) get?",
        steps: [
          "The \(thing) cost \(count) * \(price) = \(cost) dollars.",
          "With the lamp it is \(cost) + \(other) = \(cost + other) dollars.",
          "The change is \(note) - \(cost + other) = \(note - cost - other) dollars.",
        ],
        answer: note - cost - other)
    },
    Template(name: "discount-percent") { draw in
      let who = draw.name()
      let price = draw.number(2...15) * 20
      let percent = draw.number(of: [5, 10, 15, 20, 25, 30, 40])
      let thing = draw.word("coat", "bicycle", "desk", "camera", "guitar")
      let scaled = price * percent
      let off = scaled / 100
      return Problem(
        question: "A \(thing) costs $\(price). \(who) buys it in a sale in which everything is \(percent)% cheaper. "
          + "How many dollars does \(who) pay?",
        steps: [
          "\(percent) percent of \(price) is \(price) * \(percent) / 100 = \(off).",
          "The price in the sale is \(price) - \(off) = \(price - off) dollars.",
        ],
        answer: price - off)
    },
    Template(name: "wage-and-overtime") { draw in
      let who = draw.name()
      let wage = draw.number(6...14) * 2
      let hours = draw.number(20...40)
      let extra = draw.number(2...8)
      let overtime = wage * 3 / 2
      return Problem(
        question: "\(who) earns $\(wage) an hour, and one and a half times as much for overtime. Last week \(who) "
          + "worked \(hours) regular hours and \(extra) hours of overtime. How many dollars did \(who) earn?",
        steps: [
          "The regular hours bring \(hours) * \(wage) = \(hours * wage) dollars.",
          "An hour of overtime brings \(wage) * 3 / 2 = \(overtime) dollars.",
          "The overtime brings \(extra) * \(overtime) = \(extra * overtime) dollars.",
          "Together that is \(hours * wage) + \(extra * overtime) = \(hours * wage + extra * overtime) dollars.",
        ],
        answer: hours * wage + extra * overtime)
    },
    Template(name: "weeks-of-saving") { draw in
      let who = draw.name()
      let weekly = draw.number(5...18)
      let weeks = draw.number(6...20)
      let saved = draw.number(10...60)
      let goal = saved + weekly * weeks
      let thing = draw.word("tablet", "tent", "skateboard", "violin")
      return Problem(
        question: "\(who) wants a \(thing) that costs $\(goal), has $\(saved) already and saves $\(weekly) every week. "
          + "How many weeks must \(who) save?",
        steps: [
          "There are \(goal) - \(saved) = \(goal - saved) dollars missing.",
          "That takes \(goal - saved) / \(weekly) = \(weeks) weeks.",
        ],
        answer: weeks)
    },
    Template(name: "profit-of-a-stall") { draw in
      let who = draw.name()
      let made = draw.number(25...60)
      let unsold = draw.number(2...9)
      let cost = draw.number(1...3)
      let price = cost + draw.number(2...5)
      let ware = draw.word("pies", "scarves", "mugs", "bracelets")
      let sold = made - unsold
      return Problem(
        question: "\(who) makes \(made) \(ware) for a market stall; making one costs $\(cost). At the end of the day "
          + "\(unsold) are unsold, and the others went for $\(price) each. How many dollars of profit did \(who) make?",
        steps: [
          "\(made) - \(unsold) = \(sold) \(ware) were sold.",
          "They brought \(sold) * \(price) = \(sold * price) dollars.",
          "Making all of them cost \(made) * \(cost) = \(made * cost) dollars.",
          "The profit is \(sold * price) - \(made * cost) = \(sold * price - made * cost) dollars.",
        ],
        answer: sold * price - made * cost)
    },
    Template(name: "tickets-of-two-prices") { draw in
      let adults = draw.number(20...90)
      let children = draw.number(15...80)
      let full = draw.number(8...15)
      let half = draw.number(3...7)
      let place = draw.word("zoo", "theater", "museum", "planetarium")
      return Problem(
        question: "A \(place) sells \(adults) tickets for adults at $\(full) and \(children) tickets for children at "
          + "$\(half). How many dollars does it take in?",
        steps: [
          "Adults pay \(adults) * \(full) = \(adults * full) dollars.",
          "Children pay \(children) * \(half) = \(children * half) dollars.",
          "Together that is \(adults * full) + \(children * half) = \(adults * full + children * half) dollars.",
        ],
        answer: adults * full + children * half)
    },
    Template(name: "packs-rounded-up") { draw in
      let who = draw.name()
      let pack = draw.number(6...12)
      let needed = draw.number(40...110)
      let price = draw.number(3...9)
      let full = needed / pack
      let rest = needed % pack
      let packs = rest == 0 ? full : full + 1
      let last =
        rest == 0
        ? "Nothing is missing, so \(full) packs are enough."
        : "\(full) packs are short of \(needed) - \(full * pack) = \(rest), so one more is needed: "
          + "\(full) + 1 = \(packs)."
      return Problem(
        question: "\(who) needs \(needed) paper cups. They are sold only in packs of \(pack) at $\(price) a pack. How "
          + "many dollars must \(who) spend at least?",
        steps: [
          "\(full) packs hold \(full) * \(pack) = \(full * pack) cups.", last,
          "They cost \(packs) * \(price) = \(packs * price) dollars.",
        ],
        answer: packs * price)
    },
    Template(name: "monthly-fee-difference") { draw in
      let who = draw.name()
      let months = draw.number(6...24)
      let cheap = draw.number(8...19)
      let dear = cheap + draw.number(3...9)
      let setup = draw.number(5...15)
      return Problem(
        question: "\(who) compares two phone plans for \(months) months. The first costs $\(dear) a month. The second "
          + "costs $\(cheap) a month and a single fee of $\(setup). How many dollars does the second plan save?",
        steps: [
          "The first plan costs \(months) * \(dear) = \(months * dear) dollars.",
          "The second plan costs \(months) * \(cheap) + \(setup) = \(months * cheap + setup) dollars.",
          "The difference is \(months * dear) - \(months * cheap + setup) = "
            + "\(months * (dear - cheap) - setup) dollars.",
        ],
        answer: months * (dear - cheap) - setup)
    },
  ]
}
