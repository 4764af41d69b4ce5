"""A request that was sent, and its outcome."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import traceback
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from .workers import waiting

Progress = Callable[[Dict[str, Any]], None]


class Call:
    """One running call. `result()` waits for its answer, `await call` does in a coroutine, `cancel()` cancels it."""

    def __init__(
        self, call_id: int, method: str, cancel: Callable[[int], None], on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> None:
        self.id = call_id
        self.method = method
        self._cancel = cancel
        self._finished = threading.Event()
        self._result: Any = None
        self._error: Optional[BaseException] = None
        self._lock = threading.Lock()
        self._afterwards: List[Callable[[], None]] = []
        self._listeners = {"progress": on_progress, "partial": on_partial}
        # Listeners are called on a thread of the call's own, in order and before the answer is there: they may take
        # their time, and may use the client.
        self._reports: Optional[queue.SimpleQueue[Tuple[Optional[Progress], Any]]] = None
        if on_progress is not None or on_partial is not None:
            self._reports = queue.SimpleQueue()
            threading.Thread(target=self._report, name=f"hone-progress-{call_id}", daemon=True).start()

    def cancel(self) -> None:
        """Asks the service to cancel the call; `result()` then raises a HoneError with code -32800.

        Finished results stay tracked. Has no effect on a call that is already answered.
        """
        if not self.done():
            self._cancel(self.id)

    def done(self) -> bool:
        """Whether the answer has arrived."""
        return self._finished.is_set()

    def result(self, timeout: Optional[float] = None, *, cancel_when_interrupted: bool = True) -> Any:
        """The answer.

        Raises:
            HoneError: the service answered with an error.
            ConnectionLost: the service went away first.
            TimeoutError: no answer came within `timeout` seconds; the call continues.
        """
        try:
            if not self._finished.is_set():
                with waiting():
                    if not self._finished.wait(timeout):
                        raise TimeoutError(f"{self.method} was not answered within {timeout} s")
        except KeyboardInterrupt:
            if cancel_when_interrupted:
                self.cancel()
            raise
        if self._error is not None:
            raise self._error
        return self._result

    def outcome(self, timeout: Optional[float] = None) -> Union[Any, BaseException]:
        """The answer, or the error."""
        try:
            return self.result(timeout)
        except TimeoutError:
            raise
        except Exception as error:
            return error

    def when_done(self, action: Callable[[], None]) -> None:
        """Runs the action when the answer arrives, on the thread that receives it; at once if it is already here."""
        with self._lock:
            if not self._finished.is_set():
                self._afterwards.append(action)
                return
        action()

    async def answer(self) -> Any:
        """The answer, for coroutines; cancelling the waiting task cancels the call."""
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not settled.done():
                settled.set_result(None)

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(settle)
            except RuntimeError:
                pass  # The loop is closed; nobody waits any more.

        self.when_done(wake)
        try:
            await settled
        except asyncio.CancelledError:
            self._quietly_cancel()
            raise
        return self.result()

    def __await__(self) -> Any:
        return self.answer().__await__()

    def hear(self, kind: str, value: Any) -> None:
        """Passes a report to the listener of its kind (`progress`, `partial`); the client's reader does this."""
        listener = self._listeners.get(kind)
        if listener is not None and self._reports is not None:
            self._reports.put((listener, value))

    def finish(self, result: Any = None, error: Optional[BaseException] = None) -> None:
        """Settles the call; the client's reader does this."""
        self._result, self._error = result, error
        if self._reports is not None:
            self._reports.put((None, None))
        else:
            self._settle()

    def _settle(self) -> None:
        with self._lock:
            self._finished.set()
            afterwards, self._afterwards = self._afterwards, []
        for action in afterwards:
            action()

    def _report(self) -> None:
        reports = self._reports
        while reports is not None:
            listener, value = reports.get()
            if listener is None:
                self._settle()
                return
            try:
                listener(value)
            except Exception:  # A listener's fault must not end the conversation.
                traceback.print_exc(file=sys.stderr)

    def _quietly_cancel(self) -> None:
        try:
            self.cancel()
        except ConnectionError:
            pass

    def __repr__(self) -> str:
        state = "waiting" if not self.done() else "failed" if self._error else "answered"
        return f"<Call {self.id} {self.method} {state}>"
