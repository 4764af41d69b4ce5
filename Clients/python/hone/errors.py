"""Failures as exceptions: each kind has its own class, and all of them are HoneErrors."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple, Type


class HoneError(Exception):
    """An error that the service returned, or that ended the connection to it.

    A callback (a metric, a tool, a model, a program) can raise one too: `raise hone.RateLimited("slower")` tells
    the service what kind of failure it was.

    Attributes:
        code: JSON-RPC's number: -32602 for bad parameters, -32800 for a cancelled call, -32803 for a failure.
        kind: the failure's name (`languageModelUnavailable`, `datasetInvalid` …), or None.
        message: what went wrong, without the single problems.
        problems: each thing wrong with the request, as {path, message, got?, allowed?, suggestion?}.
        remedy: what to do next, or None.
        run_id: the run that keeps the work so far, or None.
        data: everything the service sent besides code and message.
    """

    wire_kind: Optional[str] = None
    wire_code = -32803

    def __init__(
        self, message: str = "", code: Optional[int] = None, data: Optional[Dict[str, Any]] = None,
    ) -> None:
        self.code = self.wire_code if code is None else code
        self.message = message or "The service gave no message."
        self.data: Dict[str, Any] = dict(data) if isinstance(data, dict) else {}
        kind = self.data.get("kind")
        self.kind: Optional[str] = kind if isinstance(kind, str) else self.wire_kind
        problems = self.data.get("problems")
        self.problems: List[Dict[str, Any]] = [p for p in problems if isinstance(p, dict)] if isinstance(
            problems, list) else []
        self.remedy: Optional[str] = self.data.get("remedy")
        self.run_id: Optional[str] = self.data.get("runId")
        super().__init__(str(self))

    @classmethod
    def from_wire(cls, error: Any) -> HoneError:
        """The `error` member of a response as an exception of the class for its kind."""
        if not isinstance(error, dict):
            return HoneError(f"The service answered with an invalid error: {str(error)[:200]}", -32603)
        code, data = error.get("code"), error.get("data")
        code = code if isinstance(code, int) else -32603
        kind = data.get("kind") if isinstance(data, dict) else None
        made = _BY_KIND.get(kind) if isinstance(kind, str) else None
        return (made or _BY_CODE.get(code) or HoneError)(str(error.get("message") or ""), code, data)

    @property
    def is_cancelled(self) -> bool:
        """Whether the call ended because it was cancelled."""
        return self.code == -32800

    def to_wire(self) -> Dict[str, Any]:
        """The error as the `error` member of a response."""
        data = dict(self.data)
        if self.kind is not None:
            data.setdefault("kind", self.kind)
        return {"code": self.code, "message": self.message, **({"data": data} if data else {})}

    def __str__(self) -> str:
        lines = [self.message]
        for problem in self.problems:
            if len(self.problems) == 1 and problem.get("message", "") in self.message:
                continue
            hint = f" Did you mean \"{problem['suggestion']}\"?" if problem.get("suggestion") else ""
            lines.append(f"  - {problem.get('path', '')}: {problem.get('message', '')}{hint}")
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(code={self.code}, kind={self.kind!r}, message={self.message!r})"

    def __reduce__(self) -> Tuple[Type[HoneError], Tuple[str, int, Dict[str, Any]]]:
        return type(self), (self.message, self.code, self.data)


class InvalidParams(HoneError):
    """The request has invalid parameters; `problems` lists all of them, and no model was called."""

    wire_kind, wire_code = "invalidParams", -32602


class MethodNotFound(HoneError):
    """The service has no such method; it may be older than this client."""

    wire_code = -32601


class Cancelled(HoneError):
    """The call was cancelled; finished results stay tracked under `run_id`."""

    wire_kind, wire_code = "cancelled", -32800


class AuthenticationFailed(HoneError):
    """The model's endpoint refuses the key."""

    wire_kind = "authentication"


class BudgetExhausted(HoneError):
    """The budget was spent before there was a result."""

    wire_kind = "budgetExhausted"


class ClientGone(HoneError):
    """A client that the work needed disconnected; the run can be resumed."""

    wire_kind = "clientGone"


class ContentRefused(HoneError):
    """A content filter or the model refused to answer the text."""

    wire_kind = "contentRefused"


class ContextWindowExceeded(HoneError):
    """The prompt is too long for the model."""

    wire_kind = "contextWindowExceeded"


class DatasetInvalid(HoneError):
    """The data cannot be read, or lack what the program or the metric needs."""

    wire_kind = "datasetInvalid"


class InputRejected(HoneError):
    """The model's endpoint refused this request and may take others."""

    wire_kind = "inputRejected"


class InsufficientCredit(HoneError):
    """The account has no credit left."""

    wire_kind = "insufficientCredit"


class InternalError(HoneError):
    """Something is wrong inside Hone."""

    wire_kind, wire_code = "internalError", -32603


class LanguageModelRejected(HoneError):
    """The model's endpoint refuses every such request: the model's name, its options or the URL are wrong."""

    wire_kind = "languageModelRejected"


class LanguageModelUnavailable(HoneError):
    """The model's endpoint cannot be reached or fails."""

    wire_kind = "languageModelUnavailable"


class MalformedReply(HoneError):
    """The model's endpoint answers with something that is not a chat completion."""

    wire_kind = "malformedReply"


class MetricFailed(HoneError):
    """The metric raised an error or returned something that is not a score."""

    wire_kind = "metricFailed"


class NotFound(HoneError):
    """There is no such run, trace, program or file."""

    wire_kind = "notFound"


class OutputUnparsable(HoneError):
    """The model's answer lacks a field, or a field has the wrong type."""

    wire_kind = "outputUnparsable"


class ProgramFailed(HoneError):
    """The program's own code raised an error."""

    wire_kind = "programFailed"


class ProgramInvalid(HoneError):
    """The program, or its saved file, cannot be run."""

    wire_kind = "programInvalid"


class QuotaExhausted(HoneError):
    """A quota of the account is used up, for the day or longer."""

    wire_kind = "quotaExhausted"


class RateLimited(HoneError):
    """The model's endpoint asks for fewer requests."""

    wire_kind = "rateLimited"


class ReplyCut(HoneError):
    """The model's reply was cut off at its token limit."""

    wire_kind = "replyCut"


class ReplyEmpty(HoneError):
    """The model's reply had no text."""

    wire_kind = "replyEmpty"


class ReplyToolCall(HoneError):
    """The model called a tool in place of answering."""

    wire_kind = "replyToolCall"


class StoreUnavailable(HoneError):
    """The store of runs cannot be read or written."""

    wire_kind = "storeUnavailable"


class TimedOut(HoneError):
    """The model did not answer in time."""

    wire_kind = "timeout"


class ToolFailed(HoneError):
    """A tool raised an error; the model sees it."""

    wire_kind = "toolFailed"


class TooManyErrors(HoneError):
    """Too many examples failed for a meaningful score."""

    wire_kind = "tooManyErrors"


class WaitTooLong(HoneError):
    """The model's endpoint asks for a longer pause than maxWait."""

    wire_kind = "waitTooLong"


class ConnectionLost(HoneError, ConnectionError):
    """The service disconnected, or sent an invalid message, before a call was answered."""

    wire_kind, wire_code = "connectionLost", -32803


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a compile or an evaluation. A KeyboardInterrupt with the results so far.

    Attributes:
        run_id: the run, which can be resumed with `resume_run`; None if nothing was tracked.
        result: the service's answer: the best so far if there was one, else None.
        program: the state of the best program so far, or None.
        score: its score, or None.
    """

    def __init__(
        self, run_id: Optional[str] = None, result: Optional[Dict[str, Any]] = None,
        program: Optional[Dict[str, Any]] = None,
    ) -> None:
        self.run_id = run_id
        self.result = result
        self.program: Optional[Dict[str, Any]] = program or (result or {}).get("program")
        self.score: Optional[float] = (result or {}).get("score")
        best = f" The best program so far scores {self.score}." if self.score is not None else ""
        kept = f" Run {run_id} keeps the work so far; resume_run({run_id!r}) continues it." if run_id else ""
        super().__init__(f"Interrupted.{best}{kept}")


_BY_KIND: Dict[str, Type[HoneError]] = {
    made.wire_kind: made for made in HoneError.__subclasses__() if made.wire_kind is not None}
_BY_CODE: Dict[int, Type[HoneError]] = {
    made.wire_code: made for made in (MethodNotFound, InvalidParams, Cancelled, InternalError)}
