"""An OpenAI-compatible endpoint that answers as a function says: request body -> text, or a whole message, or a refusal."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Refusal(Exception):
    """Answered with a status and an error's message in place of a completion."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Raw(Exception):
    """Answered with a status, a body and headers as they are."""

    def __init__(self, status, body, **headers):
        super().__init__(status)
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class ScriptedEndpoint:
    """Serves while the block lasts; `bodies` and `paths` are those of the requests that came."""

    def __init__(self, script):
        self.script = script
        self.bodies = []
        self.paths = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.bodies.append(body)
                outer.paths.append(self.path)
                headers = {}
                try:
                    status, answer = outer.answer(body)
                except Raw as raw:
                    status, answer, headers = raw.status, raw.body, raw.headers
                data = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}/v1"

    def answer(self, body):
        try:
            made = self.script(body)
        except Refusal as refusal:
            return refusal.status, {"error": {"message": str(refusal)}}
        made = {"content": made} if isinstance(made, str) else dict(made)
        reason = made.pop("finish_reason", "stop")
        usage = made.pop("usage", {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15})
        return 200, {
            "choices": [{"index": 0, "message": {"role": "assistant", **made}, "finish_reason": reason}],
            "usage": usage}

    def model(self, **settings):
        """The `lm` of a request."""
        return {"model": "openai/m", "apiBase": self.base, "retries": 0, **settings}

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
