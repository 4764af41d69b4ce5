extension FailureKind {
  /// Every kind there is, with what it means to whoever gets it.
  package static let all: [(kind: FailureKind, meaning: String)] = [
    (.authentication, "The endpoint refused the key, or there is none. Ends the work at once; it can be resumed."),
    (.budgetExhausted, "A bound of the budget was reached. What was found until then is returned."),
    (.cancelled, "Somebody stopped it."),
    (.clientGone, "The client that was needed, or that waited, went away. The run can be resumed."),
    (.contextWindowExceeded, "The prompt is too long for the model. One example's result."),
    (.datasetInvalid, "The data cannot be used: problems lists the rows."),
    (.internalError, "Something is wrong inside Hone."),
    (.invalidParams, "The request is wrong: problems lists everything that is."),
    (.languageModelRejected, "The endpoint refuses the request itself. Ends the work at once."),
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
    (.rateLimited, "The endpoint accepts no more requests for now, retries included."),
    (.storeUnavailable, "The store cannot be read or written."),
    (.timeout, "No answer came in time, retries included."),
    (.toolFailed, "A tool failed. The model is told; the example goes on."),
    (.tooManyErrors, "More examples failed than maxErrors allows. The run can be resumed."),
  ]
}
