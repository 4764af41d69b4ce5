"""Connections to a service: one started over pipes, or one that listens on a Unix socket."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
from typing import IO, Any, Callable, Dict, List, Optional, Sequence, Union

from .framing import Framing, HeaderFraming, LineFraming

PathLike = Union[str, "os.PathLike[str]"]


class Transport:
    """Bytes to and from a service, and how the connection ends."""

    def __init__(self, name: str, incoming: IO[bytes], send: Callable[[bytes], None], framing: Framing) -> None:
        self.name = name
        self.incoming = incoming
        self.send = send
        self.framing = framing
        self.process: Optional[subprocess.Popen[bytes]] = None

    def how_it_ended(self) -> str:
        """A few words on why the stream ended, or none."""
        return ""

    def end(self, wait_for_reader: Callable[[float], None], timeout: float, leave_running: bool) -> None:
        """Closes the connection; `wait_for_reader` waits until everything received is read."""

    def forget(self) -> None:
        """Closes only this process's copies, as a forked child does."""


def find_executable(executable: Optional[PathLike] = None) -> str:
    """The program: the one given, else $HONE, else `hone` on the PATH.

    Raises:
        FileNotFoundError: there is none.
    """
    given = executable or os.environ.get("HONE")
    if given:
        program = os.fspath(given)
        found = program if os.sep in program and os.access(program, os.X_OK) else shutil.which(program)
    else:
        program, found = "hone", shutil.which("hone")
    if not found:
        raise FileNotFoundError(
            f"There is no program \"{program}\". Put hone on the PATH, name it in $HONE, or give executable=….")
    return found


class Pipes(Transport):
    """A service that this client starts, or with `--attach` a process that joins the user's shared service."""

    _stdin: IO[bytes]
    _stdout: IO[bytes]

    def __init__(
        self, home: Optional[PathLike], executable: Optional[PathLike], arguments: Sequence[str],
        env: Optional[Dict[str, str]], stderr: Any,
    ) -> None:
        program = find_executable(executable)
        command: List[str] = [
            program, "serve", *(["--home", os.fspath(home)] if home is not None else []), *arguments]
        # What joins a service is no service: it always ends with its client.
        self._shared = "--attach" in arguments
        # A group of its own: Ctrl-C is for this process, which then cancels what is under way in good order.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=_log(stderr),
            env={**os.environ, **(env or {})}, start_new_session=True, bufsize=0)
        stdin, raw = process.stdin, process.stdout
        if stdin is None or not isinstance(raw, io.RawIOBase):
            raise OSError("The service has no pipes.")
        stdout = io.BufferedReader(raw)
        self._stdin, self._stdout = stdin, stdout

        def send(data: bytes) -> None:
            rest = memoryview(data)
            while rest:
                rest = rest[stdin.write(rest):]

        super().__init__(f"{program} (process {process.pid})", stdout, send, HeaderFraming())
        self.process = process

    def how_it_ended(self) -> str:
        try:
            status = self.process.wait(1) if self.process else 0
        except subprocess.TimeoutExpired:
            return ""
        return f" It ended with status {status}." if status else ""

    def end(self, wait_for_reader: Callable[[float], None], timeout: float, leave_running: bool) -> None:
        process = self.process
        try:
            self._stdin.close()
        except OSError:
            pass
        if process is not None and (self._shared or not leave_running):
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.terminate()
                try:
                    process.wait(timeout)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        elif process is not None:
            process.returncode = process.poll() or 0  # It is meant to go on; Popen shall not complain of that.
            return
        wait_for_reader(timeout)
        self._stdout.close()

    def forget(self) -> None:
        for stream in (self._stdin, self._stdout):
            try:
                os.close(stream.fileno())
            except (OSError, ValueError):
                pass


def _log(stderr: Any) -> Any:
    """Where the service's logs go; a notebook's standard error is not a file that a process can write to."""
    if stderr is not None:
        return stderr
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


class Socket(Transport):
    """A service that listens on a Unix socket."""

    def __init__(self, path: PathLike, timeout: Optional[float]) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            sock.connect(os.fspath(path))
            sock.settimeout(None)
        except OSError as error:
            sock.close()
            raise type(error)(
                error.errno, f"No service answers there; start one with: hone serve --socket {os.fspath(path)}",
                os.fspath(path)) from error
        self._sock = sock
        super().__init__(os.fspath(path), sock.makefile("rb"), sock.sendall, LineFraming())

    def end(self, wait_for_reader: Callable[[float], None], timeout: float, leave_running: bool) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
            wait_for_reader(timeout)
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        wait_for_reader(timeout)
        self.incoming.close()
        self._sock.close()

    def forget(self) -> None:
        self._sock.close()
