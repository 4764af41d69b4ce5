"""The conversation with the service: requests out, answers and progress in, in any order."""

from __future__ import annotations

import itertools
import json
import sys
import threading
import traceback
from typing import Any, BinaryIO, Callable, Optional, Sequence

from .calls import Call, Progress
from .errors import ConnectionLost, HoneError
from .framing import Framing


class Connection:
    """Sends from any thread; one thread of its own reads and settles the calls.

    Callbacks for progress run on the reader's thread, so they should be short and not wait for another call.
    """

    def __init__(self, incoming: BinaryIO, send: Callable[[bytes], None], framing: Framing) -> None:
        self._incoming = incoming
        self._send_bytes = send
        self._framing = framing
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._calls: dict[int, Call] = {}
        self._listeners: dict[str, Progress] = {}
        self._lost: Optional[ConnectionLost] = None
        self._reader = threading.Thread(target=self._read, name="hone-reader", daemon=True)
        self._reader.start()

    @property
    def waiting(self) -> list[Call]:
        """The calls that are not answered yet."""
        with self._lock:
            return list(self._calls.values())

    def submit(
        self, method: str, params: dict[str, Any], on_progress: Optional[Progress], on_partial: Optional[Progress]
    ) -> Call:
        """Sends one request."""
        call, message = self._prepare(method, params, on_progress, on_partial)
        self._deliver([call], message)
        return call

    def submit_batch(self, requests: Sequence[tuple[str, dict[str, Any]]]) -> list[Call]:
        """Sends several requests as one message."""
        prepared = [self._prepare(method, params, None, None) for method, params in requests]
        calls = [call for call, _ in prepared]
        self._deliver(calls, [message for _, message in prepared])
        return calls

    def notify(self, method: str, params: Optional[dict[str, Any]] = None) -> None:
        """Sends a notification."""
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        self._send(message)

    def join(self, timeout: Optional[float] = None) -> None:
        """Waits until the service's end of the stream is reached."""
        if threading.current_thread() is not self._reader:
            self._reader.join(timeout)

    def _prepare(
        self, method: str, params: dict[str, Any], on_progress: Optional[Progress], on_partial: Optional[Progress]
    ) -> tuple[Call, dict[str, Any]]:
        call_id = next(self._ids)
        params = dict(params)
        with self._lock:
            for name, word, listener in (
                ("workDoneToken", "progress", on_progress), ("partialResultToken", "partial", on_partial)
            ):
                if listener is not None:
                    params[name] = f"{word}-{call_id}"
                    self._listeners[params[name]] = listener
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": call_id, "method": method}
        if params:
            message["params"] = params
        return Call(call_id, method, self._cancel), message

    def _deliver(self, calls: list[Call], message: Any) -> None:
        with self._lock:
            if self._lost is not None:
                raise self._lost
            for call in calls:
                self._calls[call.id] = call
        try:
            self._send(message)
        except BaseException:
            for call in calls:
                self._take(call.id)
            raise

    def _cancel(self, call_id: int) -> None:
        self.notify("$/cancelRequest", {"id": call_id})

    def _send(self, message: Any) -> None:
        body = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
        try:
            with self._sending:
                self._send_bytes(self._framing.pack(body))
        except (OSError, ValueError) as error:
            raise ConnectionLost(f"The service cannot be written to: {error}") from error

    def _take(self, call_id: Any) -> Optional[Call]:
        with self._lock:
            self._listeners.pop(f"progress-{call_id}", None)
            self._listeners.pop(f"partial-{call_id}", None)
            return self._calls.pop(call_id, None) if isinstance(call_id, int) else None

    def _read(self) -> None:
        reason = "The service closed the connection."
        try:
            while (body := self._framing.read(self._incoming)) is not None:
                message = json.loads(body)
                for one in message if isinstance(message, list) else [message]:
                    self._receive(one)
        except Exception as error:  # Whatever ends the reading, nobody may be left waiting.
            reason = f"The connection to the service broke: {error}"
        with self._lock:
            self._lost = ConnectionLost(reason)
            calls, self._calls = list(self._calls.values()), {}
            self._listeners.clear()
        for call in calls:
            call.finish(error=ConnectionLost(f"{reason} {call.method} was not answered."))

    def _receive(self, message: Any) -> None:
        if not isinstance(message, dict):
            raise ValueError(f"{str(message)[:100]!r} is no message")
        if "method" in message:
            if "id" in message:
                self._refuse(message)
            elif message["method"] == "$/progress":
                self._hear(message.get("params") or {})
            return
        error = HoneError.from_wire(message["error"]) if "error" in message else None
        if message.get("id") is None:
            # The service could not tell which request it refuses; none that waits may be left hanging.
            for waiting in self.waiting:
                self._settle(waiting.id, None, error or ConnectionLost("An answer without an id."))
            return
        self._settle(message["id"], message.get("result"), error)

    def _settle(self, call_id: Any, result: Any, error: Optional[BaseException]) -> None:
        call = self._take(call_id)
        if call is not None:
            call.finish(result, error)

    def _hear(self, params: dict[str, Any]) -> None:
        token = params.get("token")
        with self._lock:
            listener = self._listeners.get(token) if isinstance(token, str) else None
        if listener is None:
            return
        try:
            listener(params.get("value") or {})
        except Exception:  # A listener's fault must not end the conversation.
            traceback.print_exc(file=sys.stderr)

    def _refuse(self, message: dict[str, Any]) -> None:
        text = f"This client does not serve \"{message['method']}\"."
        self._send({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": text}})
