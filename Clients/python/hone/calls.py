"""A request that was sent, and what becomes of it."""

from __future__ import annotations

import threading
from typing import Any, Callable, Optional, Union

Progress = Callable[[dict[str, Any]], None]


class Call:
    """One call under way. `result()` waits for its answer, `cancel()` asks the service to end it."""

    def __init__(self, call_id: int, method: str, cancel: Callable[[int], None]) -> None:
        self.id = call_id
        self.method = method
        self._cancel = cancel
        self._finished = threading.Event()
        self._result: Any = None
        self._error: Optional[BaseException] = None

    def cancel(self) -> None:
        """Asks the service to end the call; `result()` then raises a HoneError with code -32800.

        What was finished by then stays tracked. A call that is answered already is left alone.
        """
        if not self.done():
            self._cancel(self.id)

    def done(self) -> bool:
        """Whether the answer is here."""
        return self._finished.is_set()

    def result(self, timeout: Optional[float] = None) -> Any:
        """The answer.

        Raises:
            HoneError: the service answered with an error.
            ConnectionLost: the service went away first.
            TimeoutError: no answer came within `timeout` seconds; the call goes on.
        """
        try:
            if not self._finished.wait(timeout):
                raise TimeoutError(f"{self.method} was not answered within {timeout} s")
        except KeyboardInterrupt:
            self.cancel()
            raise
        if self._error is not None:
            raise self._error
        return self._result

    def outcome(self, timeout: Optional[float] = None) -> Union[Any, BaseException]:
        """The answer, or the error in its place."""
        try:
            return self.result(timeout)
        except TimeoutError:
            raise
        except Exception as error:
            return error

    def finish(self, result: Any = None, error: Optional[BaseException] = None) -> None:
        """Settles the call; the client's reader does this."""
        self._result, self._error = result, error
        self._finished.set()

    def __repr__(self) -> str:
        state = "waiting" if not self.done() else "failed" if self._error else "answered"
        return f"<Call {self.id} {self.method} {state}>"
