"""The connection to the service: requests out, answers and progress in, and the service's own requests."""

from __future__ import annotations

import itertools
import json
import queue
import threading
from typing import IO, Any, Callable, Dict, List, Optional, Protocol, Sequence, Tuple

from .calls import Call, Progress
from .errors import ConnectionLost, HoneError
from .framing import Framing


class Server(Protocol):
    """Answers the service's requests. Both methods are called on the reader's thread and must not wait."""

    def serve(self, call_id: Any, method: str, params: Any, answer: Callable[[Dict[str, Any]], None]) -> None:
        """Runs the request; `answer` receives `{"result": …}` or `{"error": …}` once."""

    def cancel(self, call_id: Any) -> None:
        """Cancels a request that the service no longer waits for."""


class Connection:
    """Takes messages from any thread; one thread writes them, another reads.

    So callers never wait for a service that is slow to read, and Ctrl-C never cuts a message short. The reader settles
    the calls and passes the service's requests on to a server.
    """

    def __init__(
        self, incoming: IO[bytes], send: Callable[[bytes], None], framing: Framing, server: Server,
        how_it_ended: Callable[[], str] = lambda: "",
    ) -> None:
        self._incoming = incoming
        self._send_bytes = send
        self._framing = framing
        self._server = server
        self._how_it_ended = how_it_ended
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._calls: Dict[int, Call] = {}
        self._lost: Optional[str] = None
        self._outgoing: queue.SimpleQueue[Optional[bytes]] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="hone-reader", daemon=True)
        self._writer = threading.Thread(target=self._write, name="hone-writer", daemon=True)

    def open(self) -> None:
        """Starts reading and writing."""
        self._reader.start()
        self._writer.start()

    @property
    def waiting(self) -> List[Call]:
        """The calls without an answer so far."""
        with self._lock:
            return list(self._calls.values())

    @property
    def is_lost(self) -> bool:
        """Whether the service's side of the connection has ended."""
        return self._lost is not None

    def submit(
        self, method: str, params: Dict[str, Any], on_progress: Optional[Progress], on_partial: Optional[Progress]
    ) -> Call:
        """Sends one request."""
        call, message = self._prepare(method, params, on_progress, on_partial)
        self._deliver([call], message)
        return call

    def submit_batch(self, requests: Sequence[Tuple[str, Dict[str, Any]]]) -> List[Call]:
        """Sends several requests as one message."""
        prepared = [self._prepare(method, params, None, None) for method, params in requests]
        calls = [call for call, _ in prepared]
        self._deliver(calls, [message for _, message in prepared])
        return calls

    def notify(self, method: str, params: Optional[Dict[str, Any]] = None) -> None:
        """Sends a notification."""
        message: Dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            message["params"] = params
        self._send(message)

    def finish_writing(self, timeout: float) -> None:
        """Accepts no more messages and waits, at most for the timeout, until the rest is written."""
        self._outgoing.put(None)
        if threading.current_thread() is not self._writer:
            self._writer.join(timeout)

    def join(self, timeout: Optional[float] = None) -> None:
        """Waits for the end of the service's stream."""
        if threading.current_thread() is not self._reader:
            self._reader.join(timeout)

    def abandon(self, reason: str) -> None:
        """Fails all waiting calls without telling the service."""
        with self._lock:
            self._lost = self._lost or reason
            calls, self._calls = list(self._calls.values()), {}
        for call in calls:
            call.finish(error=ConnectionLost(f"{reason} {call.method} was not answered."))

    def _prepare(
        self, method: str, params: Dict[str, Any], on_progress: Optional[Progress], on_partial: Optional[Progress]
    ) -> Tuple[Call, Dict[str, Any]]:
        call_id = next(self._ids)
        params = dict(params)
        if on_progress is not None:
            params["workDoneToken"] = f"progress-{call_id}"
        if on_partial is not None:
            params["partialResultToken"] = f"partial-{call_id}"
        message: Dict[str, Any] = {"jsonrpc": "2.0", "id": call_id, "method": method}
        if params:
            message["params"] = params
        return Call(call_id, method, self._cancel, on_progress, on_partial), message

    def _deliver(self, calls: List[Call], message: Any) -> None:
        with self._lock:
            lost = self._lost
            if lost is None:
                for call in calls:
                    self._calls[call.id] = call
        try:
            if lost is not None:
                raise ConnectionLost(lost)
            self._send(message)
        except BaseException as error:
            for call in calls:
                self._take(call.id)
                call.finish(error=error)  # Its listeners' thread must end.
            raise

    def _cancel(self, call_id: int) -> None:
        self.notify("$/cancelRequest", {"id": call_id})

    def _send(self, message: Any) -> None:
        body = json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        # A lone surrogate has no UTF-8; escaped it would be refused by the service, which takes strict JSON only.
        data = self._framing.pack(body.encode("utf-8", "replace"))
        if self._lost is not None:
            raise ConnectionLost(self._lost)
        self._outgoing.put(data)

    def _write(self) -> None:
        while (data := self._outgoing.get()) is not None:
            try:
                self._send_bytes(data)
            except (OSError, ValueError) as error:
                # The end of what it sends, which the reader comes to, says better why.
                self._reader.join(2)
                self.abandon(f"Cannot write to the service: {error}")
                return

    def _take(self, call_id: Any) -> Optional[Call]:
        with self._lock:
            return self._calls.pop(call_id, None) if type(call_id) is int else None

    def _read(self) -> None:
        try:
            while (body := self._framing.read(self._incoming)) is not None:
                message = json.loads(body)
                for one in message if isinstance(message, list) else [message]:
                    self._receive(one)
            reason = "The service closed the connection." + self._how_it_ended()
        except Exception as error:  # Whatever ends the reading, nobody may be left waiting.
            reason = f"The connection to the service broke: {error}"
        self.abandon(reason)

    def _receive(self, message: Any) -> None:
        if not isinstance(message, dict):
            raise ValueError(f"{str(message)[:100]!r} is not a message")
        if "method" in message:
            self._hear(message)
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

    def _hear(self, message: Dict[str, Any]) -> None:
        method, params = message["method"], message.get("params")
        if "id" in message:
            call_id = message["id"]
            self._server.serve(call_id, str(method), params, lambda answer: self._answer(call_id, answer))
        elif not isinstance(params, dict):
            return
        elif method == "$/progress":
            kind, _, call_id = str(params.get("token")).partition("-")
            with self._lock:
                call = self._calls.get(int(call_id)) if call_id.isdecimal() else None
            if call is not None:
                call.hear(kind, params.get("value") or {})
        elif method == "$/cancelRequest":
            self._server.cancel(params.get("id"))

    def _answer(self, call_id: Any, answer: Dict[str, Any]) -> None:
        try:
            self._send({"jsonrpc": "2.0", "id": call_id, **answer})
        except ConnectionError:
            pass  # There is nobody left to answer.
