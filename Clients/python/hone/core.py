"""What both clients share: the connection, the served functions, and closing."""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import weakref
from typing import Any, Dict, List, Optional, Sequence, Tuple

from .callbacks import Callbacks
from .calls import Call, Progress
from .connection import Connection
from .transport import Transport
from .wire import Wire


class Core:
    """A connection to a service."""

    def __init__(
        self, transport: Transport, callback_threads: int = 32, loop: Optional[asyncio.AbstractEventLoop] = None
    ) -> None:
        self.transport = transport
        self.callbacks = Callbacks(self, callback_threads, loop)
        self.connection = Connection(
            transport.incoming, transport.send, transport.framing, self.callbacks, transport.how_it_ended)
        self.has_detached = False
        self._closing = threading.Lock()
        self.is_closed = False
        _open.add(self)
        self.connection.open()

    def submit(
        self, method: str, params: Optional[Dict[str, Any]] = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Call:
        """Sends a request with parameters in wire form."""
        return self.connection.submit(method, params or {}, on_progress, on_partial)

    def send(
        self, method: str, keywords: Dict[str, Any], on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Call:
        """Sends a request with Python arguments; functions among them are served until it is answered."""
        wire = Wire(self.callbacks)
        try:
            call = self.connection.submit(method, wire.params(keywords), on_progress, on_partial)
        except BaseException:
            wire.release()
            raise
        if not keywords.get("detach"):
            call.when_done(wire.release)
        return call

    def submit_batch(self, requests: Sequence[Tuple[str, Dict[str, Any]]]) -> List[Call]:
        """Sends several requests as one message."""
        return self.connection.submit_batch(requests)

    def close(self, timeout: float = 10) -> None:
        """Cancels running calls and closes the connection; a service that this client started ends too.

        If that service works on a detached run, it ends when the run is done.
        """
        with self._closing:
            if self.is_closed:
                return
            self.is_closed = True
        _open.discard(self)
        for call in self.connection.waiting:
            try:
                call.cancel()
            except ConnectionError:
                break
        self.connection.finish_writing(min(timeout, 2))
        self.transport.end(self.connection.join, timeout, self.has_detached and not self.connection.is_lost)
        self.callbacks.stop()

    def describe(self, name: str) -> str:
        """The client on one line."""
        state = "closed" if self.is_closed else f"{len(self.connection.waiting)} calls under way"
        return f"<hone.{name} of {self.transport.name}, {state}>"


_open: weakref.WeakSet[Core] = weakref.WeakSet()


def _close_all() -> None:
    for core in list(_open):
        core.close(timeout=5)


def _forget_all() -> None:
    # A forked child must not hold the service's pipes open, nor talk in its parent's conversation.
    for core in list(_open):
        core.is_closed = True
        core.connection.abandon("This client belongs to the parent process; make one of your own.")
        core.transport.forget()
    _open.clear()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
