"""Makes what the page's tests look at: endpoints, stores, a large trace. Also used by scripts/screenshots."""

import gzip
import http.server
import json
import secrets
import threading
import time
import urllib.request
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
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
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


def send_large_trace(address, spans=30_000, error_at=None):
    """Sends one trace of many spans as an OpenTelemetry exporter does; gives its id."""
    start = time.time_ns()
    trace = secrets.token_hex(16)
    names = [f"{number:016x}" for number in range(1, spans + 1)]
    kinds = ["TOOL", "CHAIN", "LLM", "CHAT_MODEL", "PARSER"]
    body = "A thousand words are said here, or so it seems to whoever has to read them. " * 6

    def attribute(key, value):
        return {"key": key, "value": {"stringValue": json.dumps(value)}}

    def span(index):
        """A root, and below it steps of five spans, the first above the others."""
        first = index - (index - 1) % 5
        record = {
            "traceId": trace, "spanId": names[index], "name": f"step {index}" if index else "long agent",
            "startTimeUnixNano": str(start + index * 100_000),
            "endTimeUnixNano": str(start + (spans * 100_000 if index == 0 else index * 100_000 + 90_000)),
            "attributes": [
                attribute("mlflow.spanType", kinds[index % 5] if index else "AGENT"),
                attribute("mlflow.spanInputs", {"messages": [{"role": "user", "content": f"Step {index}. {body}"}]}),
                attribute("mlflow.spanOutputs", f"Done with step {index}."),
            ],
            "status": {"code": 2, "message": "the tool is out of order"} if index == error_at else {"code": 1},
        }
        if index:
            record["parentSpanId"] = names[0] if index == first else names[first]
        return record

    document = {"resourceSpans": [{"scopeSpans": [{"spans": [span(index) for index in range(spans)]}]}]}
    request = urllib.request.Request(
        f"{address}/v1/traces", gzip.compress(json.dumps(document).encode(), 1),
        {"Content-Type": "application/json", "Content-Encoding": "gzip"})
    urllib.request.urlopen(request, timeout=120).read()
    return f"tr-{trace}"


# Number, parents, verdict, gain, rows, reason, score: 0 -> 2 -> 5 is the line to the best; 5 merges 2 and 4.
FAMILY = [
    (0, [], "kept", None, None, None, 50.0), (1, [0], "dropped", -4.0, 20, "behind after 20 rows", 40.0),
    (2, [0], "kept", 6.0, 41, "ahead on the valset", 62.0), (3, [2], "dropped", 0.5, 40, "not ahead after 40 rows", 61.0),
    (4, [0], "kept", 2.5, 38, "best on some rows", 58.0), (5, [2, 4], "kept", 3.0, 60, None, 66.0),
]


def log_family(address, hostile=None):
    """A search that tells where its candidates came from, as an imported run has it: in its file; gives the parent's id."""
    def ask(path, body, method="POST", content="application/json"):
        request = urllib.request.Request(
            f"{address}/api/2.0/{path}", json.dumps(body).encode(), {"Content-Type": content}, method=method)
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.loads(reply.read() or b"{}")

    def run(name, **tags):
        return ask("mlflow/runs/create", {
            "experiment_id": experiment, "run_name": name, "start_time": 1_700_000_000_000,
            "tags": [{"key": key.replace("__", "."), "value": value} for key, value in tags.items()]})["run"]["info"]["run_id"]

    experiment = ask("mlflow/experiments/create", {"name": f"family {secrets.token_hex(4)}"})["experiment_id"]
    words = hostile or "A summary of the search."
    parent = run("a family", hone__kind="compile", hone__summary=words)
    trials = []
    for place, (number, parents, verdict, gain, pairs, reason, score) in enumerate(FAMILY, 1):
        child = run(f"eval_full_{number}", mlflow__parentRunId=parent, hone__trial=str(place))
        ask("mlflow/runs/log-batch", {"run_id": child, "metrics": [
            {"key": "eval", "value": score, "timestamp": 1_700_000_000_000, "step": 0}, {"key": "count", "value": 80, "timestamp": 1_700_000_000_000, "step": 0}]})
        instructions = f"Answer the question with rule {number}." + (f" {hostile}" if hostile else "")
        ask(f"mlflow-artifacts/artifacts/{experiment}/{child}/artifacts/model.json",
            {"predict": {"signature": {"instructions": instructions, "fields": []}, "demos": [{"question": f"Q{number}", "answer": hostile or "4"}]}},
            "PUT", "application/octet-stream")
        note = {"number": number, "parents": parents, "change": hostile or ("instruction of predict" if number else "the program as it came"),
                "verdict": verdict, "gain": gain, "pairs": pairs, "reason": hostile or reason}
        trials.append({"number": place, "name": f"eval_full_{number}", "kind": "eval_full", "runId": child, "score": score, "count": 80,
                       "candidate": {key: value for key, value in note.items() if value is not None}})
        ask("mlflow/runs/update", {"run_id": child, "status": "FINISHED", "end_time": 1_700_000_001_000})
    ask(f"mlflow-artifacts/artifacts/{experiment}/{parent}/artifacts/trials.json", {"trials": trials}, "PUT", "application/octet-stream")
    ask("mlflow/runs/update", {"run_id": parent, "status": "FINISHED", "end_time": 1_700_000_001_000})
    return parent
