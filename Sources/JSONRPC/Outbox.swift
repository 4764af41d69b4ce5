/// Messages that wait to be written, in order; a value.
///
/// An entry may have a key, and a later one of that key takes its place as long as it waits.
struct Outbox: Sendable {
  private struct Entry: Sendable {
    var text: [UInt8]
    var key: String?
  }

  private var entries = Queue<Entry>()
  /// The place of the waiting entry with that key, counted from the first entry ever.
  private var places: [String: Int] = [:]
  /// How many entries have left.
  private var taken = 0
  private(set) var bytes = 0

  var isEmpty: Bool { entries.isEmpty }

  /// Puts the text behind all others, or in the place of the waiting one of that key.
  mutating func put(_ text: [UInt8], key: String? = nil) {
    bytes += text.count
    if let key {
      if let place = places[key] {
        entries.update(at: place - taken) { entry in
          bytes -= entry.text.count
          entry.text = text
        }
        return
      }
      places[key] = taken + entries.count
    }
    entries.append(Entry(text: text, key: key))
  }

  /// Whether an entry of that key waits.
  func holds(_ key: String) -> Bool { places[key] != nil }

  /// Takes entries from the front, as frames, until they make about `size` bytes.
  mutating func take(about size: Int, framing: Framing) -> [UInt8] {
    var frames: [UInt8] = []
    frames.reserveCapacity(min(size, bytes) + 64)
    while frames.count < size, let entry = entries.popFirst() {
      taken += 1
      bytes -= entry.text.count
      if let key = entry.key { places[key] = nil }
      framing.append(entry.text, to: &frames)
    }
    return frames
  }

  mutating func removeAll() { self = Outbox() }
}

/// First in, first out, in amortised constant time.
struct Queue<Element: Sendable>: Sendable {
  private var elements: [Element?] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { head == elements.count }

  var first: Element? { head < elements.count ? elements[head] : nil }

  mutating func append(_ element: Element) { elements.append(element) }

  /// Changes the element that stands at `index` from the front, if there is one.
  mutating func update(at index: Int, _ change: (inout Element) -> Void) {
    guard index >= 0, index < count, var element = elements[head + index] else { return }
    elements[head + index] = nil
    change(&element)
    elements[head + index] = element
  }

  mutating func popFirst() -> Element? {
    guard head < elements.count else { return nil }
    let element = elements[head]
    elements[head] = nil
    head += 1
    if head == elements.count {
      elements.removeAll(keepingCapacity: elements.capacity <= 1024)
      head = 0
    } else if head > 1024, head > elements.count / 2 {
      elements.removeFirst(head)
      head = 0
    }
    return element
  }
}
