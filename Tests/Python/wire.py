"""A peer that speaks the wire and nothing more: requests both ways over a stream, one JSON text a line.

The Python client is not used, so that what a test shows is the service's doing.
"""

import json
import queue
import socket
import subprocess
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor


class Refused(Exception):
    """The service answered with an error."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.error, self.code = error, error["code"]
        self.data = error.get("data") or {}
        self.kind = self.data.get("kind")


class Raised(Exception):
    """A handler's failure with a kind of its own."""

    def __init__(self, message, code=-32000, **data):
        super().__init__(message)
        self.code, self.data = code, data


class Silent(Exception):
    """A handler gives no answer."""


class Peer:
    """One connection. `handlers` answer the service's requests: method → function of the parameters."""

    def __init__(self, reader, writer, handlers=None, threads=16):
        self.reader, self.writer = reader, writer
        self.handlers = dict(handlers or {})
        self.lock, self.open, self.next = threading.Lock(), {}, 1
        self.asked, self.notified = [], queue.Queue()
        self.cancelled = set()
        self.pool = ThreadPoolExecutor(threads)
        # The id of the request that a handler answers, for handlers that do not behave.
        self.answering = threading.local()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    @classmethod
    def at(cls, path, **options):
        for attempt in range(100):
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(path)
                break
            except ConnectionRefusedError:  # the path is there a moment before its service listens
                connection.close()
                time.sleep(0.05)
        peer = cls(connection.makefile("rb"), connection.makefile("wb"), **options)
        peer.end = lambda: (connection.shutdown(socket.SHUT_RDWR), connection.close())
        return peer

    @classmethod
    def started(cls, executable, home=None, cwd=None, **options):
        process = subprocess.Popen(
            [executable, "serve", *(["--home", str(home)] if home else [])], cwd=cwd, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        peer = cls(process.stdout, process.stdin, **options)
        peer.process = process

        def end():
            process.stdin.close()
            process.wait(timeout=30)

        peer.end = end
        return peer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, message):
        with self.lock:
            self.writer.write(json.dumps(message).encode() + b"\n")
            self.writer.flush()

    def ask(self, method, params=None):
        """A request; its result as a future."""
        future = Future()
        with self.lock:
            future.id, self.next = self.next, self.next + 1
            self.open[future.id] = future
        self.send({"jsonrpc": "2.0", "id": future.id, "method": method, "params": params or {}})
        return future

    def call(self, method, params=None, timeout=120):
        return self.ask(method, params).result(timeout)

    def cancel(self, future):
        self.send({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": future.id}})

    def _read(self):
        try:
            for line in self.reader:
                self._take(json.loads(line))
        except (OSError, ValueError):
            pass
        for future in list(self.open.values()):
            if not future.done():
                future.set_exception(ConnectionError("the connection ended"))

    def _take(self, message):
        if "method" not in message:
            future = self.open.pop(message["id"])
            if "error" in message:
                future.set_exception(Refused(message["error"]))
            else:
                future.set_result(message["result"])
        elif "id" in message:
            self.asked.append(message)
            self.pool.submit(self._answer, message)
        elif message["method"] == "$/cancelRequest":
            self.cancelled.add(message["params"]["id"])
        else:
            self.notified.put(message)

    def _answer(self, message):
        head = {"jsonrpc": "2.0", "id": message["id"]}
        handler = self.handlers.get(message["method"])
        self.answering.id = message["id"]
        try:
            if handler is None:
                raise Raised("there is no such method", code=-32601)
            self.send({**head, "result": handler(message["params"])})
        except Silent:
            pass
        except Refused as refused:
            self.send({**head, "error": refused.error})
        except Exception as error:  # whatever a handler raises is its answer
            code, data = getattr(error, "code", -32000), getattr(error, "data", None)
            self.send({**head, "error": {"code": code, "message": str(error), **({"data": data} if data else {})}})

    def close(self):
        try:
            self.end()
        except OSError:
            pass
        self.thread.join(timeout=30)
        self.pool.shutdown(wait=False, cancel_futures=True)
