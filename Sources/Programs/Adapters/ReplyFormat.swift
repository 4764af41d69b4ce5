public import Schema

/// The form in which a model is asked and answers: what DSPy calls an adapter.
public enum ReplyFormat: String, SchemaChoice, Hashable {
  /// Each value in a section under its header `[[ ## name ## ]]`.
  case chat
  /// One JSON object with the outputs as members.
  case json
  /// The bare value, where there is one output and it is short.
  case plain
  /// Each output between tags of its name.
  case xml

  package var summary: String {
    switch self {
    case .chat: "Sections under headers [[ ## name ## ]]."
    case .json: "One JSON object."
    case .plain: "The bare value, for one short output."
    case .xml: "Tags."
    }
  }

  /// The name under which DSPy knows the form; the beginning of its spans' names.
  package var className: String {
    switch self {
    case .chat: "ChatAdapter"
    case .json: "JSONAdapter"
    case .plain: "PlainAdapter"
    case .xml: "XMLAdapter"
    }
  }

  /// In which form a reply is asked for afresh where this one brought nothing readable.
  var other: ReplyFormat { self == .json ? .chat : .json }

  /// Whether the outputs can be written in this form.
  package func suits(_ signature: Signature) -> Bool {
    self != .plain || (signature.outputs.count == 1 && signature.outputs[0].type.isPlain)
  }

  /// Whether every predictor's outputs can be written in this form.
  package func suits(_ program: Program) -> Bool { program.predictors.allSatisfy { suits($0.signature) } }
}

extension FieldType {
  /// Whether part of a value may be taken for a whole one: of a text, of a number; not of one of a few choices.
  var admitsPart: Bool {
    switch self {
    case .literal, .bool: false
    case .optional(let wrapped): wrapped.admitsPart
    case .bounded(let type, _): type.admitsPart
    default: true
    }
  }

  /// Whether a value is told from the words around it without brackets or quotes.
  var isPlain: Bool {
    switch self {
    case .string, .int, .float, .bool, .date, .datetime, .time: true
    case .literal(let values): !values.isEmpty
    case .optional(let wrapped): wrapped != .string && wrapped.isPlain
    case .bounded(let type, _): type.isPlain
    case .list, .dict, .tuple, .record, .union, .any: false
    }
  }
}
