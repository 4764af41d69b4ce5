import Testing

@testable import JSONRPC

private let a = #"{"jsonrpc":"2.0","id":1,"method":"a"}"#
private let b = "[\"é\\n\"]"

private func frame(_ text: String) -> String { "Content-Length: \(text.utf8.count)\r\n\r\n\(text)" }

/// All events of an input that is fed in chunks of `size` and then ends.
private func events(
  _ input: some Collection<UInt8>, chunk size: Int = .max, limits: ConnectionLimits = ConnectionLimits(),
  ends: Bool = true
) -> [MessageFraming.Event] {
  var framing = MessageFraming(limits: limits)
  var events: [MessageFraming.Event] = []
  var rest = Array(input)[...]
  repeat {
    framing.feed(rest.prefix(size))
    rest = rest.dropFirst(size)
    while let event = framing.next() { events.append(event) }
  } while !rest.isEmpty
  if ends, let last = framing.finish() { events.append(last) }
  return events
}

private func message(_ text: String) -> MessageFraming.Event { .message(Array(text.utf8)) }

/// Events with the errors reduced to their codes.
private func outline(_ events: [MessageFraming.Event]) -> [String] {
  events.map { event in
    switch event {
    case .message(let text): String(decoding: text, as: UTF8.self)
    case .refused(let error): "refused \(error.code.rawValue)"
    case .fatal(let error): "fatal \(error.code.rawValue)"
    }
  }
}

@Suite("Message framing")
struct MessageFramingTests {
  static let streams: [String] = [
    "\(a)\n\(b)\n", "\(a)\n\(b)", "\r\n\t \(a)\r\n\n\r\n  \n\(b)\r\n",
    frame(a) + frame(b), "\n \r\n" + frame(a) + "\r\n" + frame(b) + "\n",
    "content-length:\(a.utf8.count)\n\n\(a)CONTENT-LENGTH:  \(b.utf8.count) \t\r\n\r\n\(b)",
    "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: \(a.utf8.count)\r\n\r\n\(a)" + frame(b),
    "Content-Length: \(a.utf8.count)\r\nContent-Type: x; charset=\"UTF8\"; y=z\r\n\r\n\(a)" + frame(b),
    "X-Other: \(String(repeating: "x", count: 200))\r\nContent-Length: 000\(a.utf8.count)\r\n\r\n\(a)" + frame(b),
  ]

  @Test("every way of writing two messages gives two messages, in chunks of any size", arguments: streams)
  func splits(_ stream: String) {
    let bytes = Array(stream.utf8)
    for size in 1...bytes.count {
      let events = events(bytes, chunk: size)
      let texts = outline(events).map {
        String($0.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
      }
      #expect(texts == [a, b], "chunks of \(size)")
    }
    // Split once, at every place.
    for place in 0...bytes.count {
      var framing = MessageFraming()
      var count = 0
      framing.feed(bytes[..<place])
      while framing.next() != nil { count += 1 }
      framing.feed(bytes[place...])
      while framing.next() != nil { count += 1 }
      if framing.finish() != nil { count += 1 }
      #expect(count == 2, "split at \(place)")
    }
  }

  @Test("the first byte that is not white space decides, once")
  func decides() {
    for (input, expected) in [
      (" \n{", Framing.lines), ("[", .lines), ("C", .headers), ("\r\nx", .headers), ("-5", .headers),
      ("\u{FEFF}{", .lines), ("\u{FEFF}Content", .headers), ("\"", .lines),
    ] {
      var framing = MessageFraming()
      framing.feed(input.utf8)
      _ = framing.next()
      #expect(framing.framing == expected, "\(input)")
    }
    var blank = MessageFraming()
    blank.feed(" \r\n\t".utf8)
    #expect(blank.next() == nil)
    #expect(blank.framing == nil)
    #expect(blank.finish() == nil)
    #expect(outline(events((a + "\n" + frame(a) + "\n").utf8)).first == a)
  }

  @Test("a byte order mark before the first message is passed over, wherever the stream is cut")
  func mark() {
    for text in [a + "\n" + a + "\n", frame(a) + frame(a)] {
      for size in [1, 2, 3, 4, .max] { #expect(outline(events(("\u{FEFF}" + text).utf8, chunk: size)) == [a, a]) }
    }
  }

  @Test(
    "a header that loses the place in the stream is fatal, and nothing follows",
    arguments: [
      "POST / HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://x/ HTTP/1.1\r\n\r\n", "hello\n", "123\n", "null\n",
      "Content-Length: -5\r\n\r\n", "Content-Length: +5\r\n\r\n", "Content-Length: 5x\r\n\r\n",
      "Content-Length:\r\n\r\n",
      "Content-Length: 0x10\r\n\r\n", "Content-Length: 1.5\r\n\r\n", "Content-Length: 4611686018427387904\r\n\r\n",
      "Content-Length: 9999999999999999999999999\r\n\r\n", "Content-Length: 9223372036854775807\r\n\r\n",
      "Content-Length: 18446744073709551616\r\n\r\n", "Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
      "Content-Type: x\r\n\r\n", "Content-Length : 2\r\n\r\n{}", "X: y\r\n folded\r\n\r\n",
      "Content-Length: 2 2\r\n\r\n",
    ])
  func fatal(_ header: String) {
    for size in [1, 7, .max] {
      let outline = outline(events((header + frame(a)).utf8, chunk: size))
      #expect(outline.count == 1)
      #expect(outline[0].hasPrefix("fatal"))
    }
  }

  @Test("a length given twice alike, or with leading zeros, is a length")
  func harmlessLengths() {
    #expect(outline(events("Content-Length: 2\r\nContent-Length: 02\r\n\r\n{}".utf8)) == ["{}"])
    #expect(outline(events("Content-Length: 00000000000000000000000000002\r\n\r\n{}".utf8)) == ["{}"])
  }

  @Test("a length of zero is an empty message, and the stream goes on")
  func emptyBody() {
    #expect(outline(events(("Content-Length: 0\r\n\r\n" + frame(a)).utf8)) == ["", a])
  }

  @Test("another charset refuses that message only")
  func charset() {
    let strange = "Content-Length: 4\r\nContent-Type: x; charset=utf-16\r\n\r\nabcd"
    #expect(outline(events((strange + frame(a)).utf8)) == ["refused -32700", a])
    #expect(outline(events((strange + frame(a)).utf8, chunk: 1)) == ["refused -32700", a])
  }

  @Test("a message of exactly the limit is taken; one byte more is passed over and refused", arguments: [1, 3, .max])
  func oversize(chunk: Int) {
    var limits = ConnectionLimits()
    limits.message = 10
    limits.discardedMessage = 100
    let ten = "[\"456789\"]"
    let eleven = "[\"4567890\"]"
    #expect(
      outline(events("\(ten)\n\(eleven)\n\(ten)\n".utf8, chunk: chunk, limits: limits)) == [ten, "refused -32600", ten])
    #expect(
      outline(events((frame(ten) + frame(eleven) + frame(ten)).utf8, chunk: chunk, limits: limits))
        == [ten, "refused -32600", ten])
    #expect(outline(events("\(ten)\n\(eleven)\(eleven)".utf8, chunk: chunk, limits: limits)).contains("refused -32600"))
    // Too long even to be passed over.
    #expect(outline(events("Content-Length: 101\r\n\r\n".utf8, chunk: chunk, limits: limits)) == ["fatal -32600"])
  }

  @Test("a long line is not kept while it is passed over")
  func oversizeMemory() {
    var limits = ConnectionLimits()
    limits.message = 1000
    var framing = MessageFraming(limits: limits)
    framing.feed("{".utf8)
    var refusals = 0
    for _ in 0..<1000 {
      framing.feed(repeatElement(UInt8(ascii: "x"), count: 1000))
      while let event = framing.next() { if case .refused = event { refusals += 1 } }
      #expect(framing.bufferedBytes <= 2001)
    }
    #expect(refusals == 1)
    framing.feed("\n\(a)\n".utf8)
    #expect(framing.next() == message(a))
  }

  @Test("header lines and blocks have their limits")
  func headerLimits() {
    let longLine = "X: " + String(repeating: "x", count: 9000) + "\r\n"
    #expect(outline(events(longLine.utf8)) == ["fatal -32700"])
    // Also before the line has an end.
    #expect(outline(events(String(repeating: "x", count: 9000).utf8, ends: false)) == ["fatal -32700"])
    let line = "X: " + String(repeating: "x", count: 8000) + "\r\n"
    #expect(outline(events(String(repeating: line, count: 8).utf8, ends: false)) == [])
    #expect(outline(events(String(repeating: line, count: 9).utf8, ends: false)) == ["fatal -32700"])
  }

  @Test("an input that ends inside a frame says so", arguments: ["Content-Length: 5", "Content-Length: 5\r\n\r\n{}"])
  func cutShort(_ input: String) {
    #expect(outline(events(input.utf8)) == ["fatal -32700"])
  }

  @Test("an input that ends between messages says nothing")
  func endsWell() {
    #expect(outline(events((frame(a) + "\r\n").utf8)) == [a])
    #expect(outline(events("\(a)\n\n  ".utf8)) == [a])
    #expect(outline(events("".utf8)) == [])
  }

  @Test("frames are written as the pickiest peer wants them")
  func writes() {
    var bytes: [UInt8] = []
    Framing.headers.append(Array("{}".utf8), to: &bytes)
    Framing.lines.append(Array("[]".utf8), to: &bytes)
    #expect(bytes == Array("Content-Length: 2\r\n\r\n{}[]\n".utf8))
  }

  @Test("random bytes never trap, and what follows a line break is found again")
  func random() {
    var random = SeededGenerator(seed: 11)
    let words = [
      "Content-Length: ", "5", "\r\n", "\n", "{", "}", "\u{0}", "charset=", ":", " ", "99999999999999999999", "é", "[",
      "-",
    ]
    for _ in 0..<5000 {
      let input = (0..<Int.random(in: 0...20, using: &random)).map { _ in
        words[Int.random(in: 0..<words.count, using: &random)]
      }.joined()
      let whole = events(input.utf8)
      #expect(events(input.utf8, chunk: 1) == whole, "\(input.debugDescription)")
      let lines = outline(events(("{" + input + "\n\(a)\n").utf8))
      #expect(lines.last == a, "\(input.debugDescription)")
    }
  }
}

/// A small generator with a seed (SplitMix64), so that a failure can be run again.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Messages over several lines")
struct SpreadMessageTests {
  @Test("JSON that is spread over several lines is refused once, and what follows is read")
  func spreadMessages() {
    let pretty = """
      {
        "jsonrpc": "2.0",
        "params": {
          "a": [
            "}"
          ]
        },
        "id": 1
      }
      {"id":2}
      [
        1
      ]
      {"id":3}
      {"id":4,
      {"id":5}

      """
    for size in [1, 7, 1000] {
      var framing = MessageFraming()
      var events: [MessageFraming.Event] = []
      let bytes = Array(pretty.utf8)
      for first in stride(from: 0, to: bytes.count, by: size) {
        framing.feed(bytes[first..<min(first + size, bytes.count)])
        while let event = framing.next() { events.append(event) }
      }
      if let event = framing.finish() { events.append(event) }
      let shown = events.map { event in
        switch event {
        case .message(let text): String(decoding: text, as: UTF8.self)
        case .refused(let error): error.message.contains("one line of JSON") ? "spread" : "other"
        case .fatal: "fatal"
        }
      }
      #expect(shown == ["spread", #"{"id":2}"#, "spread", #"{"id":3}"#, "spread", #"{"id":5}"#], "\(size)")
    }
  }
}
