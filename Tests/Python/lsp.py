"""An editor's side of the language server, with nothing between the tests and the bytes."""

import json
import subprocess
import threading
import time


class Editor:
    """Speaks LSP's base protocol to a command on its standard input and output."""

    def __init__(self, command, cwd, capabilities=None, env=None):
        self.process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.notifications = []
        self.requests = []
        self.answers = {"window/workDoneProgress/create": None, "workspace/codeLens/refresh": None}
        self._responses = {}
        self._changed = threading.Condition()
        self._next = 0
        threading.Thread(target=self._read, daemon=True).start()
        self.capabilities = self.request("initialize", {"processId": None, "capabilities": capabilities or {}})["capabilities"]
        self.notify("initialized", {})

    # Messages

    def _write(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params):
        self._write({"method": method, "params": params})

    def send(self, method, params, id=None):
        self._next += 1
        self._write({"id": self._next, "method": method, "params": params})
        return self._next

    def response(self, id, seconds=60):
        return self.wait(lambda: self._responses.pop(id, None), seconds)

    def request(self, method, params, seconds=60):
        answer = self.response(self.send(method, params), seconds)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["result"]

    def error(self, method, params):
        return self.response(self.send(method, params))["error"]

    def execute(self, command, *arguments, **more):
        return self.request("workspace/executeCommand", {"command": command, "arguments": list(arguments), **more})

    def _read(self):
        stream = self.process.stdout
        while True:
            header = stream.readline()
            if not header:
                return
            assert header.startswith(b"Content-Length: "), header
            assert stream.readline() == b"\r\n"
            message = json.loads(stream.read(int(header.split(b":")[1])))
            with self._changed:
                if "method" not in message:
                    self._responses[message["id"]] = message
                elif "id" in message:
                    self.requests.append(message)
                    answer = self.answers[message["method"]]
                    result = answer(message["params"]) if callable(answer) else answer
                    self._write({"id": message["id"], "result": result})
                else:
                    self.notifications.append(message)
                self._changed.notify_all()

    def wait(self, condition, seconds=60):
        """Waits until the condition holds and returns what it gave."""
        end = time.monotonic() + seconds
        with self._changed:
            while not (value := condition()):
                left = end - time.monotonic()
                assert left > 0, "waited too long"
                self._changed.wait(left)
            return value

    # Documents

    def open(self, path, text=None):
        uri = path.as_uri()
        text = path.read_text() if text is None else text
        self.notify("textDocument/didOpen", {
            "textDocument": {"uri": uri, "languageId": "json", "version": 1, "text": text}})
        return uri

    def change(self, uri, version, *changes):
        self.notify("textDocument/didChange", {
            "textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)})

    def diagnostics(self, uri, version, seconds=20):
        """The diagnostics of that version of the document."""
        def found():
            for message in reversed(self.notifications):
                params = message["params"]
                if message["method"] == "textDocument/publishDiagnostics" and params["uri"] == uri:
                    if params.get("version") == version:
                        return [params["diagnostics"]]
        return self.wait(found, seconds)[0]

    def progress(self, token=None):
        return [
            message["params"]["value"] for message in list(self.notifications)
            if message["method"] == "$/progress" and token in (None, message["params"]["token"])]

    def close(self):
        if self.process.poll() is None:
            self.request("shutdown", None)
            self.notify("exit", None)
            assert self.process.wait(timeout=20) == 0
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def position(text, needle, after=False):
    """Where the needle stands in the text, as editors count."""
    offset = text.index(needle) + (len(needle) if after else 0)
    before = text[:offset]
    line = before.count("\n")
    units = len(before[before.rfind("\n") + 1:].encode("utf-16-le")) // 2
    return {"line": line, "character": units}


def part(text, range):
    """The part of the text that a range means."""
    lines = text.split("\n")
    def offset(position):
        line = lines[position["line"]].encode("utf-16-le")[:2 * position["character"]].decode("utf-16-le")
        return sum(len(line) + 1 for line in lines[:position["line"]]) + len(line)
    return text[offset(range["start"]):offset(range["end"])]
