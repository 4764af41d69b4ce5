"""Runs as files, and traces at an OpenTelemetry collector, with the program as a user runs it."""

import json
import os
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import wait_until

EVALUATE = {
    "program": "question -> answer", "devset": {"name": "word-problems", "split": "test", "limit": 12},
    "metric": "numeric_match", "lm": "simulated", "experiment": "exchange"}


@pytest.fixture
def collector():
    """An OTLP collector that can be told to fail; gives what it took, by request."""

    class Collector(ThreadingHTTPServer):
        daemon_threads = True
        taken: list = []
        status = 200
        delay = 0.0

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.server.status == 200:
                assert self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
                self.server.taken.append(json.loads(body))
            time.sleep(self.server.delay)
            self.send_response(self.server.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    server = Collector(("127.0.0.1", 0), Handler)
    server.taken = []
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def spans(collector):
    return [
        span for request in list(collector.taken) for resource in request["resourceSpans"]
        for scope in resource["scopeSpans"] for span in scope["spans"]]


def attributes(span):
    return {a["key"]: next(iter(a["value"].values()), None) for a in span["attributes"]}


def serve(executable, home, collector):
    return subprocess.Popen(
        [executable, "serve", "--home", str(home), "--otlp", f"http://127.0.0.1:{collector.server_port}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def call(service, method, params):
    service.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
    service.stdin.flush()
    return json.loads(service.stdout.readline())["result"]


def test_every_trace_reaches_the_collector_once(executable, tmp_path, collector):
    service = serve(executable, tmp_path / "home", collector)
    result = call(service, "evaluate", EVALUATE)
    wanted = {row["traceId"][3:] for row in result["results"]}
    wait_until(lambda: {span["traceId"] for span in spans(collector)} == wanted)
    roots = [span for span in spans(collector) if "parentSpanId" not in span]
    assert sorted(span["traceId"] for span in roots) == sorted(wanted), "a trace came twice or not at all"
    for root in roots:
        assert attributes(root)["hone.run.id"] == result["runId"]
        assert root["events"][-1]["name"] == "gen_ai.evaluation.result"
        assert root["status"]["code"] == 1
    calls = [span for span in spans(collector) if attributes(span).get("gen_ai.operation.name") == "chat"]
    assert len(calls) == 12 and all(span["kind"] == 3 for span in calls)
    assert all(int(attributes(span)["gen_ai.usage.input_tokens"]) > 0 for span in calls)
    service.stdin.close()
    assert service.wait(20) == 0


def test_an_outage_of_the_collector_and_a_kill_lose_nothing(executable, tmp_path, collector):
    collector.status = 503
    service = serve(executable, tmp_path / "home", collector)
    result = call(service, "evaluate", EVALUATE)
    service.kill()
    service.wait()
    assert not collector.taken
    collector.status = 200
    service = serve(executable, tmp_path / "home", collector)
    more = call(service, "evaluate", {**EVALUATE, "devset": {"name": "word-problems", "split": "val", "limit": 3}})
    service.stdin.close()
    assert service.wait(20) == 0, service.stderr.read()
    wanted = sorted(row["traceId"][3:] for row in result["results"] + more["results"])
    assert sorted(span["traceId"] for span in spans(collector) if "parentSpanId" not in span) == wanted


def test_stopping_while_the_collector_answers_sends_nothing_twice(executable, tmp_path, collector):
    collector.delay = 0.4
    service = serve(executable, tmp_path / "home", collector)
    result = call(service, "evaluate", EVALUATE)
    wait_until(lambda: collector.taken)
    service.stdin.close()
    assert service.wait(20) == 0
    wanted = sorted(row["traceId"][3:] for row in result["results"])
    assert sorted(span["traceId"] for span in spans(collector) if "parentSpanId" not in span) == wanted


def test_a_collector_that_refuses_is_told_in_the_log(executable, tmp_path, collector):
    collector.status = 400
    service = serve(executable, tmp_path / "home", collector)
    call(service, "evaluate", EVALUATE)
    service.stdin.close()
    assert service.wait(20) == 0
    assert b"refused" in service.stderr.read()


def test_runs_move_as_a_file(executable, tmp_path):
    def hone(*arguments, home="there", status=0):
        done = subprocess.run(
            [executable, *arguments, "--home", str(tmp_path / home)], capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stderr
        return done.stdout

    request = tmp_path / "request.json"
    request.write_text(json.dumps(EVALUATE))
    made = json.loads(hone("evaluate", str(request), "--json", home="here"))
    file = tmp_path / "runs.jsonl"
    hone("export", made["runId"], "--output", str(file), home="here")
    assert os.stat(file).st_mode & 0o777 == 0o600
    assert "1 runs imported" in hone("import", str(file))
    assert "1 were there already" in hone("import", str(file))
    # What was scored there is seen here, and its program runs.
    again = json.loads(hone("call", "getRun", json.dumps({"runId": made["runId"]}), "--json"))
    assert again["run"]["metrics"]["eval"] == made["score"]
    trace = made["results"][0]["traceId"]
    assert trace in hone("trace", trace)
    predicted = json.loads(hone("predict", "--program", made["runId"], "question=What is 2 plus 3?", "--json"))
    assert "answer" in predicted["outputs"]
    # All of a store, through a pipe.
    everything = subprocess.run(
        [executable, "export", "--all", "--home", str(tmp_path / "here")], capture_output=True, timeout=60)
    assert everything.stdout == file.read_bytes()
    # What was imported is exported the same.
    hone("export", made["runId"], "--output", str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == file.read_bytes()
    hone("export", "0" * 32, home="here", status=2)
    (tmp_path / "cut").write_bytes(file.read_bytes()[:-20])
    hone("import", str(tmp_path / "cut"), home="elsewhere", status=2)
    assert json.loads(hone("call", "listRuns", "{}", "--json", home="elsewhere"))["runs"] == []
    # A file that changes a run of this store is refused.
    lines = file.read_text().splitlines()
    artifact = next(line for line in lines if line.startswith('{"artifact"'))
    bad = {"artifact": {**json.loads(artifact)["artifact"], "base64": "e30="}}
    (tmp_path / "bad").write_text("\n".join([lines[0], json.dumps(bad), '{"end":{"runs":0}}', ""]))
    hone("import", str(tmp_path / "bad"), status=2)
    hone("export", made["runId"], "--output", str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == file.read_bytes()
