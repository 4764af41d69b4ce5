"""The service's methods as Python's."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional, Sequence, Union

from .calls import Call, Progress
from .connection import Connection
from .framing import HeaderFraming, LineFraming
from .methods import Methods

PathLike = Union[str, "os.PathLike[str]"]


class Client(Methods):
    """A connection to the service, for use from any number of threads at once.

    Make one with `Client.start()` or `Client.connect()`, and close it, best with `with`.
    """

    def __init__(self, connection: Connection, end: Callable[[Connection, float], None], name: str) -> None:
        self._connection = connection
        self._end = end
        self._name = name
        self._closed = False
        self.process: Optional["subprocess.Popen[bytes]"] = None

    @classmethod
    def start(
        cls, home: Optional[PathLike] = None, *, executable: Optional[PathLike] = None,
        arguments: Sequence[str] = (), env: Optional[dict[str, str]] = None, stderr: Any = None,
    ) -> Client:
        """Starts `hone serve` and talks to it over pipes.

        Args:
            home: the directory of the store; the service's own choice ($HONE_HOME, else .hone) unless given.
            executable: the program; $HONE, else `hone` on the PATH unless given.
            arguments: further arguments of `hone serve`.
            env: variables for the service beside this process's own.
            stderr: where its logs go, as for subprocess.Popen; this process's unless given.

        Raises:
            FileNotFoundError: there is no such program.
        """
        program = str(executable or os.environ.get("HONE") or shutil.which("hone") or "hone")
        command = [program, "serve", *(["--home", os.fspath(home)] if home is not None else []), *arguments]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env={**os.environ, **(env or {})})
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None

        def send(data: bytes) -> None:
            stdin.write(data)
            stdin.flush()

        def end(connection: Connection, timeout: float) -> None:
            try:
                stdin.close()
            except OSError:
                pass
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.terminate()
                try:
                    process.wait(timeout)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            connection.join(timeout)
            stdout.close()

        client = cls(Connection(stdout, send, HeaderFraming()), end, f"{program} (process {process.pid})")
        client.process = process
        return client

    @classmethod
    def connect(cls, path: PathLike, *, timeout: Optional[float] = 10) -> Client:
        """Talks to the service that listens at a Unix socket.

        Raises:
            OSError: nothing listens there.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.connect(os.fspath(path))
            sock.settimeout(None)
        except OSError:
            sock.close()
            raise
        incoming = sock.makefile("rb")

        def end(connection: Connection, timeout: float) -> None:
            try:
                sock.shutdown(socket.SHUT_WR)
                connection.join(timeout)
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.join(timeout)
            incoming.close()
            sock.close()

        return cls(Connection(incoming, sock.sendall, LineFraming()), end, str(Path(path)))

    def submit(
        self, method: str, params: Optional[dict[str, Any]] = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None,
    ) -> Call:
        """Sends a request and does not wait: the call's `result()` does, and its `cancel()` ends it.

        Args:
            method: the method's name on the wire (`listRuns`).
            params: its parameters as the wire spells them.
            on_progress: is given {kind: begin | report | end, message, percentage, data} as the work goes on.
            on_partial: is given each finished {example} or {trial}.
        """
        return self._connection.submit(method, params or {}, on_progress, on_partial)

    def call(
        self, method: str, params: Optional[dict[str, Any]] = None, on_progress: Optional[Progress] = None,
        on_partial: Optional[Progress] = None, timeout: Optional[float] = None,
    ) -> Any:
        """Sends a request and waits for its result. Parameters as for `submit`.

        Raises:
            HoneError: the service answered with an error.
            ConnectionLost: the service went away.
            TimeoutError: `timeout` seconds passed; the call is cancelled.
        """
        call = self.submit(method, params, on_progress, on_partial)
        try:
            return call.result(timeout)
        except TimeoutError:
            call.cancel()
            raise

    def batch(self, requests: Sequence[tuple[str, dict[str, Any]]], timeout: Optional[float] = None) -> list[Any]:
        """Sends (method, params) pairs as one message; the service works on them side by side.

        Returns:
            The results in the order of the requests; where one failed, its HoneError stands in its place.
        """
        if not requests:
            return []
        return [call.outcome(timeout) for call in self._connection.submit_batch(requests)]

    def notify(self, method: str, params: Optional[dict[str, Any]] = None) -> None:
        """Sends a notification, which is not answered."""
        self._connection.notify(method, params)

    def close(self, timeout: float = 10) -> None:
        """Cancels what is under way, ends the conversation, and ends the service if this client started it."""
        if self._closed:
            return
        self._closed = True
        for call in self._connection.waiting:
            try:
                call.cancel()
            except ConnectionError:
                break
        self._end(self._connection, timeout)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self._connection.waiting)} calls under way"
        return f"<hone.Client of {self._name}, {state}>"
