"""A service that does what a test tells it, at a Unix socket: for what a real one would never do."""

import itertools
import json
import queue
import socket
import threading


class FakeService:
    """Calls `script(service, message)` for each request, on a thread of its own; a script replies or asks back."""

    def __init__(self, path, script):
        self.path = str(path)
        self.script = script
        self.heard = []
        self.notifications = queue.Queue()
        self._ids = itertools.count(1_000_000_000)
        self._asked = {}
        self._sending = threading.Lock()
        self._server = socket.create_server(self.path, family=socket.AF_UNIX)
        self._connection = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        self._connection, _ = self._server.accept()
        with self._server, self._connection.makefile("rb") as stream:
            for text in stream:
                message = json.loads(text)
                self.heard.append(message)
                if isinstance(message, dict) and "method" not in message:
                    asked = self._asked.get(message["id"])
                    if asked is not None:
                        asked.put(message)
                elif isinstance(message, dict) and "id" not in message:
                    self.notifications.put(message)
                else:
                    threading.Thread(target=self._play, args=(message,), daemon=True).start()
        # The client has ended.
        self.hang_up()

    def _play(self, message):
        try:
            self.script(self, message)
        except BaseException:
            self.hang_up()  # The test must not wait for a script that failed.
            raise

    def send(self, message):
        data = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
        with self._sending:
            self._connection.sendall(data)

    def reply(self, request, result):
        self.send({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def fail(self, request, code, message, data=None):
        self.send({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message, "data": data}})

    def begin(self, method, params):
        """Sends a request to the client; gives its id and the queue its answers come in."""
        call_id = next(self._ids)
        answers = self._asked[call_id] = queue.Queue()
        self.send({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params})
        return call_id, answers

    def ask(self, method, params, timeout=20):
        """Sends a request to the client and waits for its answer."""
        return self.begin(method, params)[1].get(timeout=timeout)

    def cancel(self, call_id):
        self.send({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": call_id}})

    def hang_up(self):
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._connection.close()
