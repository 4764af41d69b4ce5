import Failures
import LanguageModels
import Messages

/// Replies that hold no answer, each for a reason of its own: the same request would get the same again.
extension ModelReply {
  /// Why there is no answer in the reply; nil where any completion may have one.
  ///
  /// - Parameter configuration: the model's, whose names the error says.
  func noAnswer(_ configuration: ModelConfiguration) -> HoneError? {
    let indices = texts.indices
    guard !indices.isEmpty else { return nil }
    if indices.allSatisfy({ reason($0) == FinishReason.refused || isRefusal(texts[$0]) }) {
      let said = texts.first { !isBlank($0) }
      return HoneError(
        .contentRefused, "\(configuration.model) refused to answer this text.",
        remedy: "Look at the row's text: a content filter or the model objects to it. The other rows go on; leave this "
          + "row out, or ask another model.",
        details: ["fault": "row"], cause: said.map { String($0.prefix(300)) })
    }
    guard texts.allSatisfy(isBlank) else { return nil }
    if indices.allSatisfy({ reason($0) == FinishReason.toolCall }) {
      return HoneError(
        .replyToolCall, "\(configuration.model) called a tool in place of answering.",
        remedy: "No tool was offered to it: take tools out of the model's extra options, or use another model.",
        details: ["fault": "row"])
    }
    if indices.allSatisfy({ reason($0) == FinishReason.cut }) {
      let limit = configuration.sampling.maxTokens.map { " of \($0)" } ?? ""
      return HoneError(
        .replyCut, "\(configuration.model) used up its tokens\(limit) before it wrote any text.",
        remedy:
          "Raise the model's maxTokens: what it thinks beforehand counts too. Or let it think less (reasoning_effort "
          + "in the model's extra).", details: ["fault": "options"])
    }
    return nil
  }

  private func reason(_ index: Int) -> String { finishReasons.indices.contains(index) ? finishReasons[index] : "" }

  private func isBlank(_ text: String) -> Bool { text.utf8.allSatisfy { $0 <= 0x20 } }
}

/// Whether a text is a model's refusal, by how the models there are put it, and nothing else: short, in no form, from its
/// first word. An answer that is sorry within a form that was asked for is an answer.
func isRefusal(_ text: String) -> Bool {
  guard (12...600).contains(text.utf8.count), !text.contains("[[ ##"), !text.contains("{"), !text.contains("<") else {
    return false
  }
  let said = text.trimmed.lowercased().replacing("\u{2019}", with: "'")
  guard RefusalWords.beginnings.contains(where: said.hasPrefix) else { return false }
  return RefusalWords.whats.contains { said.contains($0) }
}

private enum RefusalWords {
  static let beginnings = [
    "i'm sorry", "i am sorry", "sorry", "i can't", "i cannot", "i can not", "i'm unable", "i am unable", "i'm not able",
    "i am not able", "i won't", "i will not", "i must decline", "i have to decline", "as an ai", "unfortunately, i",
    "i apologize", "my apologies", "es tut mir leid", "entschuldigung", "je suis désolé", "désolé", "lo siento",
    "抱歉", "很抱歉", "非常抱歉", "对不起", "作为ai", "作为一个ai", "作为一个人工智能", "我无法", "我不能",
    "申し訳",
  ]
  static let whats = [
    "can't assist", "cannot assist", "can not assist", "unable to assist", "not able to assist", "can't help with",
    "cannot help with", "unable to help with", "not able to help with", "can't comply", "cannot comply",
    "unable to comply", "can't fulfill", "cannot fulfill", "unable to fulfill", "can't fulfil", "cannot fulfil",
    "can't engage", "cannot engage", "won't engage", "can't discuss", "cannot discuss", "can't provide assistance",
    "cannot provide assistance", "can't continue with", "cannot continue with", "against my guidelines",
    "against my programming", "violates my guidelines", "must decline", "have to decline", "decline to",
    "can't generate content", "cannot generate content", "can't create content", "cannot create content",
    "can't respond to", "cannot respond to", "can't provide information on", "cannot provide information on",
    "can't support", "cannot support", "not something i can help", "can't do that", "cannot do that",
    "kann ich nicht helfen", "kann dabei nicht helfen", "nicht beantworten", "nicht weiterhelfen",
    "ne peux pas vous aider",
    "ne peux pas répondre", "ne peux pas t'aider", "no puedo ayudar", "no puedo responder", "no puedo proporcionar",
    "无法回答", "无法提供", "不能提供", "无法协助", "不能协助", "无法帮助", "不能帮助", "无法满足", "无法完成这", "不能回答",
    "お手伝いできません", "お答えできません", "対応できません", "お手伝いすることはできません",
  ]
}
