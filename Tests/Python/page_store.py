"""Makes what the page's tests look at: endpoints, stores, a large trace. Also used by scripts/screenshots."""

import http.server
import json
import secrets
import sqlite3
import threading
import time
from contextlib import contextmanager

WORDS = {"name": "word-problems", "split": "train"}

# What a model, a person or a data set may say to break a page.
HOSTILE = "\n".join([
    "<script>document.title = 'broken'</script><img src=x onerror=\"document.title='broken'\">",
    "javascript:alert(1) {{7*7}} ${7*7} </pre></textarea></style><style>*{display:none}</style>",
    "to the right \u202egnikcart\u202c and \u2066isolated\u2069, zero\u200bwidth, nul \u0000 escape \u001b[31m bell \u0007",
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 e\u0301 \U0001f600",
])


@contextmanager
def endpoint(reply, delay=0.0):
    """An OpenAI-compatible endpoint that says `reply(messages)` after a while; gives its base URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *arguments):
            pass

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            time.sleep(delay)
            body = json.dumps({
                "model": request["model"], "usage": {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30},
                "choices": [{"message": {"role": "assistant", "content": reply(request["messages"])}, "finish_reason": "stop"}],
            }).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            try:
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass  # whoever asked has gone

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def section(name, text):
    return f"[[ ## {name} ## ]]\n{text}\n\n"


def search(client, **options):
    """An optimization on the embedded model, with everything that a search leaves behind."""
    return client.compile(
        "question -> answer", {"name": "MIPROv2", "auto": "light"}, WORDS, "numeric_match",
        valset={"name": "word-problems", "split": "val"}, lm="simulated",
        **{"experiment": "DSPy-Optimization", "seed": 1, **options})


def store_large_trace(home, spans=30_000, error_at=None):
    """Puts one trace of many spans into the store's own tables; gives its id."""
    now = time.time_ns()
    identity = secrets.token_bytes(16)
    names = [f"{number:016x}" for number in range(1, spans + 1)]
    # A root, then calls of tools and models, four below each agent's step.
    kinds = ["AGENT", "CHAIN", "LLM", "CHAT_MODEL", "TOOL"]
    body = "A thousand words are said here, or so it seems to whoever has to read them. " * 6

    def span(index):
        first = index - (index - 1) % 5
        parent = None if index == 0 else names[0] if index == first else names[first]
        kind = kinds[index % 5] if index else "AGENT"
        status = "the tool is out of order" if index == error_at else 1
        inputs = [{"messages": [{"role": "user", "content": f"Step {index}. {body}"}]}]
        return [names[index], parent, f"step {index}", kind, index * 100_000, spans * 100_000 if index == 0 else 90_000,
                inputs, [f"Done with step {index}."], status]

    with sqlite3.connect(f"{home}/hone.sqlite", timeout=30) as db:
        cursor = db.execute(
            "INSERT INTO traces (id, experiment, name, status, start_ns, duration_ns, span_count, input_tokens, output_tokens)"
            " VALUES (?, 0, 'long agent', ?, ?, ?, ?, 0, 0)",
            (identity, 1 if error_at is None else 2, now, spans * 100_000, spans))
        for chunk in range(0, spans, 512):
            payload = json.dumps([[], [span(index) for index in range(chunk, min(chunk + 512, spans))]]).encode()
            db.execute("INSERT INTO span_chunks VALUES (?, ?)", (cursor.lastrowid << 20 | chunk // 512, payload))
    return f"tr-{identity.hex()}"
