"""What goes wrong between a client and the service."""

from __future__ import annotations

from typing import Any, Optional


class HoneError(Exception):
    """An error that the service answered with.

    Attributes:
        code: JSON-RPC's number: -32602 for bad parameters, -32800 for a cancelled call, -32803 for a failure.
        kind: the failure's name (`languageModelUnavailable`, `datasetInvalid` …), or None.
        message: what went wrong, without its parts.
        problems: each thing wrong with the request, as {path, message, got?, allowed?, suggestion?}.
        remedy: what to do next, or None.
        run_id: the run that keeps what was done until then, or None.
        data: everything the service sent beside code and message.
    """

    def __init__(self, code: int, message: str, data: Optional[dict[str, Any]] = None) -> None:
        self.code = code
        self.message = message
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.kind: Optional[str] = self.data.get("kind")
        self.problems: list[dict[str, Any]] = self.data.get("problems") or []
        self.remedy: Optional[str] = self.data.get("remedy")
        self.run_id: Optional[str] = self.data.get("runId")
        super().__init__(str(self))

    @classmethod
    def from_wire(cls, error: dict[str, Any]) -> HoneError:
        """The `error` member of a response as an exception."""
        return cls(error.get("code", -32603), error.get("message", "The service gave no message."), error.get("data"))

    @property
    def is_cancelled(self) -> bool:
        """Whether the call ended because it was cancelled."""
        return self.code == -32800

    def __str__(self) -> str:
        lines = [self.message]
        for problem in self.problems:
            hint = f" Did you mean \"{problem['suggestion']}\"?" if problem.get("suggestion") else ""
            lines.append(f"  - {problem.get('path', '')}: {problem.get('message', '')}{hint}")
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"HoneError(code={self.code}, kind={self.kind!r}, message={self.message!r})"


class ConnectionLost(ConnectionError):
    """The service went away, or sent something that is no message, before a call was answered."""
