import Failures
import HoneService
import JSON
import Schema

/// A method that a newcomer might add.
struct GreetRequest: SchemaObject {
  static let members: [Member<Self>] = [
    Member("name", \.name, isRequired: true, "Who is greeted."),
    Member("times", \.times, in: 1...3, "How often."),
  ]
  var name = ""
  var times = 1
}

extension Method {
  static let greet = Method(
    "greet", "Greets somebody.", takes: GreetRequest.self, gives: String.self, example: ["name": "you"]
  ) { _, request, _ throws(HoneError) in
    Array(repeating: "Hello \(request.name)", count: request.times).joined(separator: ", ")
  }
}
