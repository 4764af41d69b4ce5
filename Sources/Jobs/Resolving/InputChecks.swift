import Failures
package import JSON
package import Programs
import Schema

extension RequestResolver {
  /// Notes inputs that the program takes and does not get; gives the names of those that it does not take.
  package func checkInputs(_ inputs: JSONObject, of program: Program) -> [String] {
    let names = program.module.inputs.map(\.name)
    let extra = inputs.keys.filter { !names.contains($0) }
    guard fields.object["inputs"]?.objectValue != nil else { return [] }
    for name in names where inputs[name] == nil {
      if let typo = nearest(to: name, among: extra) {
        problems.add(
          Problem(
            path: "inputs.\(typo)", message: "The program takes no input \"\(typo)\".", got: typo, allowed: names,
            suggestion: name))
      } else {
        problems.add(
          Problem(path: "inputs.\(name)", message: "The program takes this input, which is not given.", allowed: names))
      }
    }
    return extra
  }
}
