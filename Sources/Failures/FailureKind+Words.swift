extension FailureKind {
  /// Every kind there is, with what it means to whoever gets it.
  package static let all: [(kind: FailureKind, meaning: String)] = [
    (.authentication, "The endpoint refused the key, or there is none. Ends the work at once; it can be resumed."),
    (.budgetExhausted, "A bound of the budget was reached. What was found until then is returned."),
    (.cancelled, "Somebody stopped it."),
    (.clientGone, "The client that was needed, or that waited, went away. The run can be resumed."),
    (
      .contentRefused,
      "A content filter or the model refused to answer this text. One example's result, counted apart from wrong answers."
    ),
    (.contextWindowExceeded, "The prompt is too long for the model. One example's result."),
    (.datasetInvalid, "The data cannot be used: problems lists the rows."),
    (.inputRejected, "The endpoint refused this request, and may take others. One example's result."),
    (.insufficientCredit, "The account has no credit left. Pauses the work at once; it can be resumed."),
    (.internalError, "Something is wrong inside Hone."),
    (.invalidParams, "The request is wrong: problems lists everything that is."),
    (
      .languageModelRejected,
      "The endpoint refuses every request: the model's name, its options or the URL are wrong. Ends the work at once."
    ),
    (.languageModelUnavailable, "The endpoint cannot be reached or failed, retries included."),
    (.malformedReply, "The reply was not a chat completion."),
    (.metricFailed, "The metric gave no score. One example's result."),
    (.notFound, "There is no run, trace, file, program or execution of that name."),
    (.outputUnparsable, "The model's reply could not be read, twice. One example's result, counted as 0."),
    (
      .programFailed,
      "The client's program raised an error, gave an unusable answer or took too long. One example's result, counted as 0."
    ),
    (.programInvalid, "The program cannot be run: an input is missing, a file does not fit, nobody serves it."),
    (
      .quotaExhausted,
      "A quota of the account is used up, for the day or longer. Pauses the work at once; it can be resumed."
    ),
    (.rateLimited, "The endpoint accepts no more requests for now, retries included."),
    (
      .replyCut,
      "The model's reply was cut off at its token limit before it could be read. One example's result, counted as 0."
    ),
    (.replyEmpty, "The model's reply had no text. One example's result, counted as 0."),
    (
      .replyToolCall,
      "The model called a tool in place of answering. One example's result, counted as 0."
    ),
    (.storeUnavailable, "The store cannot be read or written."),
    (.timeout, "No answer came in time, retries included."),
    (.toolFailed, "A tool failed. The model is told; the example goes on."),
    (.tooManyErrors, "More examples failed than maxErrors allows. The run can be resumed."),
    (
      .waitTooLong,
      "The endpoint asks for a longer pause than maxWait. Pauses the work at once; it can be resumed when the pause is over."
    ),
  ]
}
