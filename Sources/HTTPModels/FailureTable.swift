import Failures

/// Whose fault a failed call is. It decides what becomes of the rest of the work.
enum Fault: String, Sendable, CaseIterable {
  /// This row's text: other rows may well be answered.
  case row
  /// The request's options, the model's name or the URL: every call meets it.
  case options
  /// The key, or what it may be used for.
  case key
  /// The account: no credit or quota left.
  case account
  /// The endpoint, for now.
  case endpoint
}

/// One line of the table of failures: how it is told, whose fault it is, and what follows.
struct FailureRule: Sendable {
  let fault: Fault
  let kind: FailureKind
  /// The statuses that it stands with; nil: any that is not 200.
  var statuses: [ClosedRange<Int>]?
  /// Codes, types or reasons, one of which is given, in lower case.
  var codes: Set<String> = []
  /// Words of the message, one of which is said, in lower case.
  var phrases: [String] = []
  /// Whether the same request may be answered later.
  var isPassing = false
  /// What happened; `{base}`, `{url}` and `{model}` stand for the endpoint's.
  let message: String
  /// What to do; `{key}` stands for where the key comes from.
  let remedy: String
  /// Who documents it, or where it was seen.
  let source: String

  func matches(_ status: Int, _ words: EndpointWords) -> Bool {
    if let statuses, !statuses.contains(where: { $0.contains(status) }) { return false }
    if codes.isEmpty, phrases.isEmpty { return true }
    return !codes.isDisjoint(with: words.codes) || phrases.contains(where: words.say)
  }
}

/// What failures of endpoints mean, by what they say and only then by their status. The first line that fits counts.
///
/// A status alone says little: 400 stands for a blocked text, a wrong option, a wrong key (xAI, Gemini) and an empty
/// account (Anthropic); 403 for a key, a moderated text (OpenRouter), an empty account (xAI); 429 for "a second", "a day"
/// and "never". So words come first, the narrow ones before the wide ones.
enum FailureTable {
  static func rule(_ status: Int, _ words: EndpointWords) -> FailureRule {
    rules.first { $0.matches(status, words) } ?? unknown
  }

  private static let unknown = FailureRule(
    fault: .endpoint, kind: .languageModelUnavailable, isPassing: true, message: "{base} failed.",
    remedy: "Try again later, or check the endpoint's log.", source: "")

  private static let client = [400...499]

  static let rules: [FailureRule] = [
    // MARK: The row's text
    FailureRule(
      fault: .row, kind: .contentRefused,
      codes: [
        "content_filter", "responsibleaipolicyviolation", "content_policy_violation", "content_filter_violation",
        "invalid_prompt", "prohibited_content", "safety", "blocklist", "recitation", "spii", "image_safety",
        "moderation",
        "content_blocked", "data_inspection_failed", "datainspectionfailed", "contentpolicyviolationerror",
        "guardrail_intervened", "1301",
      ],
      phrases: [
        "content management policy", "content filter", "content policy", "content_filter", "usage guidelines",
        "usage policy", "usage policies", "requires moderation", "input was flagged", "was flagged", "input flagged",
        "safety system", "content exists risk", "blocked by content", "output blocked", "responsible ai",
        "inappropriate content", "prompt was blocked", "prohibited content", "contentpolicyviolation", "guardrail",
        "potentially unsafe or sensitive",
      ],
      message: "{base} refused to answer this text.",
      remedy:
        "Look at the row's text: a content filter objects to it. The other rows go on; leave this row out, or ask a "
        + "model with another filter.",
      source: "Azure OpenAI: content filtering; OpenRouter: moderation errors; Gemini: PromptFeedback.BlockReason; "
        + "DeepSeek: Content Exists Risk; Alibaba: DataInspectionFailed; xAI: content violates usage guidelines"),
    FailureRule(
      // "Too many tokens" with a 429 are too many a minute.
      fault: .row, kind: .contextWindowExceeded, statuses: [400...428, 430...499, 500...500],
      codes: [
        "context_length_exceeded", "exceed_context_size_error", "request_too_large", "string_above_max_length",
        "context_window_exceeded", "max_tokens_exceeded", "token_limit_exceeded", "contextwindowexceedederror",
      ],
      phrases: [
        "context_length", "context length", "context window", "maximum context", "context size", "too many tokens",
        "prompt is too long", "input is too long", "maximum number of tokens", "too large for model",
        "tokens + `max_new_tokens`", "request too large", "maximum allowed number of input", "reduce the length",
        "exceeds the maximum length", "string too long", "context the overflows", "input length", "prompt too long",
      ],
      message: "The prompt is too long for {model}.",
      remedy: "Use fewer or shorter demos, a lower maxTokens, or a model with a larger context window.",
      source: "OpenAI: context_length_exceeded; Anthropic: request_too_large; Gemini: input token count; Mistral 3051; "
        + "Groq 413 (TPM); vLLM; llama.cpp: exceed_context_size_error; Together: Input validation error"),
    FailureRule(
      fault: .row, kind: .contextWindowExceeded, statuses: [429...429], phrases: ["request too large"],
      message: "The prompt is larger than what {base} takes in a minute.",
      remedy: "Use fewer or shorter demos, a lower maxTokens, or ask for a higher limit of tokens per minute.",
      source: "OpenAI: Request too large … on tokens per min (TPM)"),
    FailureRule(
      fault: .row, kind: .contextWindowExceeded, statuses: [413...413],
      message: "The request is too large for {model}.",
      remedy: "Use fewer or shorter demos, shorten the row's text, or use a model with a larger context window.",
      source: "RFC 9110, 15.5.14"),

    // MARK: The account
    FailureRule(
      fault: .account, kind: .insufficientCredit, statuses: [400...499],
      codes: [
        "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "budget_exceeded",
        "insufficient_credits", "insufficient_balance", "payment_required", "arrearage", "1113",
      ],
      phrases: [
        "insufficient credit", "insufficient balance", "insufficient funds", "credit balance", "out of credit",
        "more credits", "add credits", "any credits", "available credits", "spending limit", "monthly included credits",
        "billing hard limit", "budget has been exceeded", "key limit exceeded", "negative balance", "payment required",
        "credits expired", "past invoices", "account is not active", "limit: 0,", "in arrears",
      ],
      message: "The account at {base} has no credit left.",
      remedy: "Add credit to the account, or raise its or the key's spending limit.",
      source: "OpenRouter 402; OpenAI: insufficient_quota; Anthropic: credit balance is too low; DeepSeek 402; "
        + "xAI: no credits; Hugging Face 402; LiteLLM: budget_exceeded; Fireworks 412"),
    FailureRule(
      fault: .account, kind: .insufficientCredit, statuses: [402...402],
      message: "The account at {base} has no credit left.",
      remedy: "Add credit to the account, or raise its or the key's spending limit.",
      source: "RFC 9110, 15.5.3, as gateways use it"),
    FailureRule(
      fault: .account, kind: .quotaExhausted, statuses: [400...499], codes: [],
      phrases: [
        "per day", "perday", "per-day", "daily limit", "daily quota", "daily free", "(rpd)", "(tpd)", "per month",
        "/ month", "monthly limit", "monthly quota", "hourly usage limit", "weekly usage limit", "usage limit, please",
        "weekly limit", "session usage limit",
      ],
      message: "The account's quota at {base} is used up for now.",
      remedy: "Wait until the quota is renewed, raise it (add credit or another plan), or use another model.",
      source: "OpenAI: RPD, TPD; Gemini: GenerateRequestsPerDay…; OpenRouter: free-models-per-day; Groq: TPD; "
        + "Ollama: usage limits; Cohere: trial keys"),

    // MARK: The key
    FailureRule(
      fault: .key, kind: .authentication, statuses: [400...499],
      codes: ["invalid_api_key", "api_key_invalid", "authentication_error", "expiredtokenexception"],
      phrases: [
        "api key not valid", "incorrect api key", "invalid api key", "invalid x-api-key", "api key expired",
        "invalid subscription key", "security token included in the request", "no auth credentials",
        "authentication fails", "api key is invalid",
      ],
      message: "{base} refused the key.", remedy: "{key}",
      source: "OpenAI: invalid_api_key; xAI and Gemini answer 400; Azure: invalid subscription key; AWS: ExpiredToken"),
    FailureRule(
      fault: .key, kind: .authentication, statuses: [400...499],
      codes: ["unsupported_country_region_territory", "organization_restricted", "failed_precondition"],
      phrases: ["location is not supported", "country, region, or territory", "organization has been restricted"],
      message: "{base} does not serve this account or this country.",
      remedy: "Use an endpoint that serves you, or ask the provider.",
      source: "OpenAI: unsupported_country_region_territory; Gemini: User location is not supported"),

    // MARK: The endpoint's state, where words and status differ
    FailureRule(
      fault: .endpoint, kind: .rateLimited, statuses: [400...499, 500...599],
      codes: [
        "rate_limit_exceeded", "rate_limit_error", "throttlingexception", "too_many_requests", "resource_exhausted",
      ],
      phrases: ["rate limit reached", "too many requests", "rate limited", "throttled"], isPassing: true,
      message: "{base} accepts no more requests for now.",
      remedy: "Lower the concurrency, or wait and resume the run.",
      source: "OpenAI, Anthropic, Groq: rate limits; AWS: ThrottlingException"),
    FailureRule(
      fault: .endpoint, kind: .rateLimited, statuses: [429...429], isPassing: true,
      message: "{base} accepts no more requests for now.",
      remedy: "Lower the concurrency, or wait and resume the run.", source: "RFC 6585, 4"),
    FailureRule(
      fault: .endpoint, kind: .languageModelUnavailable, statuses: [400...599],
      codes: [
        "overloaded_error", "modelnotreadyexception", "serviceunavailableexception", "unavailable", "unavailable_error",
        "engine_overloaded",
      ],
      phrases: ["overloaded", "loading model", "capacity exceeded", "temporarily unavailable"], isPassing: true,
      message: "{base} is overloaded or not ready.",
      remedy: "Try again later, lower the concurrency, or check the endpoint's log.",
      source: "Anthropic 529; Gemini: UNAVAILABLE; Groq 498; llama.cpp: Loading model; AWS: ModelNotReady"),

    // MARK: The options
    FailureRule(
      fault: .options, kind: .languageModelRejected, statuses: [400...499],
      codes: [
        "unsupported_parameter", "unsupported_value", "unknown_parameter", "invalid_parameter", "extra_forbidden",
        "model_decommissioned", "tool_use_failed", "invalid_type", "missing_required_parameter",
        "integer_below_min_value",
        "integer_above_max_value", "decimal_above_max_value", "decimal_below_min_value",
      ],
      phrases: [
        "unsupported parameter", "unsupported value", "unknown parameter", "unrecognized request argument",
        "extra inputs are not permitted", "is not supported with this model", "does not support", "not supported by",
        "unexpected keyword", "has been decommissioned", "unknown field", "unknown name", "failed to deserialize",
        "not currently supported", "is deprecated for this model",
      ],
      message: "{base} does not take one of the request's options.",
      remedy: "Change or leave out the option that the endpoint names (in the model's settings, or in its extra).",
      source: "OpenAI: unsupported_parameter; Mistral, Fireworks, vLLM: extra_forbidden; DeepSeek 422; "
        + "Groq: model_decommissioned"),
    FailureRule(
      fault: .options, kind: .languageModelRejected, statuses: [400...404],
      codes: ["model_not_found", "deploymentnotfound", "not_found_error", "model_not_available", "notfounderror"],
      phrases: [
        "model not found", "no such model", "does not exist", "not found, try pulling", "unable to access model",
        "not a valid model",
        "no endpoints found", "invalid model", "is not found for api version", "model_not_found", "unknown model",
      ],
      message: "{base} has no model {model} for you.",
      remedy: "Check the model's name, and that the key may use it.",
      source: "OpenAI: model_not_found; Azure: DeploymentNotFound; Anthropic: not_found_error; Ollama; OpenRouter"),
    FailureRule(
      fault: .options, kind: .languageModelRejected, statuses: [404...404, 405...405],
      message: "{url} has no model {model}, or no such path.",
      remedy: "Check the model's name and the base URL {base}.", source: "RFC 9110, 15.5.5"),
    FailureRule(
      fault: .options, kind: .languageModelRejected, statuses: [300...399],
      message: "{base} answered with a redirect, which is not followed.",
      remedy: "Put the endpoint's final URL into apiBase.", source: "RFC 9110, 15.4"),

    // MARK: By the status alone
    FailureRule(
      fault: .key, kind: .authentication, statuses: [401...401, 403...403, 407...407],
      message: "{base} refused the key.", remedy: "{key}", source: "RFC 9110, 15.5.2 and 15.5.4"),
    FailureRule(
      fault: .endpoint, kind: .languageModelUnavailable, statuses: [408...408, 409...409, 425...425, 498...599],
      isPassing: true, message: "{base} failed.", remedy: "Try again later, or check the endpoint's log.",
      source: "RFC 9110, 15.6"),
    FailureRule(
      fault: .row, kind: .inputRejected, statuses: client,
      message: "{base} refused this request.",
      remedy: "See what the endpoint says: the row's text or the model's options do not suit it.",
      source: "RFC 9110, 15.5.1; 422 of Mistral, Together, DeepSeek"),
  ]
}
