import Basics
import JSON
import Messages
import Synchronization

/// What the simulated model makes of all messages before the last: read once a candidate.
final class SimulatedBeginning: Sendable {
  let features: SimulatedLandscape.Features
  let skill: Double
  let hash: UInt64
  /// Bytes of all messages.
  let bytes: Int
  /// All messages in lowercase.
  let lowercased: [UInt8]
  /// The fields that the system message lists and demos answer, for prompts without a reminder.
  let outputs: [String]
  private let system: String
  private let types = Mutex<[String: SimulatedFieldType]>([:])

  init(_ messages: [ChatMessage], _ knowledge: SimulatedKnowledge) {
    var features = SimulatedLandscape.Features()
    var hash = StableHash("beginning")
    var all: [UInt8] = []
    var system = ""
    var demos: Set<UInt64> = []
    var kinds: Set<UInt64> = []
    var outputs: [String] = []
    var question: SectionText?
    for message in messages {
      hash.add(message.role.rawValue)
      hash.add(message.content)
      all.append(contentsOf: message.content.utf8)
      switch message.role {
      case .system: system += message.content + "\n"
      case .user: question = SectionText(message.content)
      case .assistant:
        let demo = Demo(question: question, answer: SectionText(message.content), knowledge)
        outputs = demo.fields
        // The same demo twice teaches nothing.
        guard demos.insert(demo.hash).inserted else { continue }
        features.demoLuck += Double(demo.hash >> 11) * 0x1p-53 - 0.5
        kinds.insert(demo.hash & 3)
        if demo.isWrong {
          features.wrongDemos += 1
        } else if demo.hasReasoning {
          features.workedDemos += 1
        } else {
          features.plainDemos += 1
        }
      }
    }
    features.demoKinds = kinds.count
    features.systemBytes = system.utf8.count
    features.advice = SimulatedLandscape.advice(in: Simulation.lowercased(Array(system.utf8)))
    self.features = features
    self.skill = SimulatedLandscape.skill(features)
    self.hash = hash.value
    self.bytes = all.count
    self.lowercased = Simulation.lowercased(all)
    self.system = system
    self.outputs = outputs
  }

  func type(of field: String) -> SimulatedFieldType {
    if let known = types.withLock({ $0[field] }) { return known }
    let type = SimulatedFieldType(of: field, in: system)
    types.withLock { $0[field] = type }
    return type
  }

  /// One pair of turns shown as an example.
  private struct Demo {
    var hash: UInt64
    var hasReasoning = false
    var isWrong = false
    var fields: [String]

    init(question: SectionText?, answer: SectionText, _ knowledge: SimulatedKnowledge) {
      var hash = StableHash("demo")
      let inputs = question?.turn().inputs.map(\.content) ?? []
      for input in inputs { hash.add(input) }
      self.hash = hash.value
      let sections = answer.sections
      fields = sections.map(\.name)
      let entry = knowledge.entry(for: inputs)
      for section in sections {
        if SimulatedKnowledge.reasoningNames.contains(section.name) {
          hasReasoning = hasReasoning || section.content.count >= 40
        } else if let right = entry?.outputs.first(where: { $0.name == section.name })?.value {
          isWrong = isWrong || !section.content.elementsEqual(SimulatedKnowledge.text(right).utf8)
        }
      }
    }
  }
}
