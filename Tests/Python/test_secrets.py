"""A key stays where it was put: no byte of it in the store, its log, the artifacts, the service's log or its answers."""

import base64
import http.server
import json
import subprocess
import threading
import urllib.parse

import pytest

KEY = "planted/Key+4711-absent=="
TEAM = "TeamToken-0815-never-seen"
OTHER = "sk-another-variable-2342"
PLANTED = {"HONE_TEST_SECRET": KEY, "HONE_TEST_TEAM": TEAM, "SOME_SERVICE_TOKEN": OTHER}
ROWS = [{"question": f"What is {n} plus 1?", "answer": str(n + 1)} for n in range(12)]


class Echo(http.server.BaseHTTPRequestHandler):
    """Says back all that it is told: in its answers, and now and then in an error."""

    protocol_version = "HTTP/1.1"
    asked = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        told = f"{self.headers['authorization']} {self.headers['x-team']} {OTHER} " \
               f"{base64.b64encode(KEY.encode()).decode()} {urllib.parse.quote(KEY, safe='')}"
        self.asked.append((self.headers["authorization"], self.headers["x-team"]))
        number = len(self.asked)
        text = f"[[ ## reasoning ## ]]\n{told}\n\n[[ ## answer ## ]]\n{told}\n\n[[ ## proposed_instruction ## ]]\n{told}"
        reply = {"choices": [{"message": {"content": text}}], "model": "echo"}
        status = 200
        if "What is 3 plus" in body.decode() or number % 5 == 0:
            status, reply = 500, {"error": {"message": f"you sent {told}"}}
        if "What is 4 plus" in body.decode():
            status, reply = 401, {"error": {"message": f"wrong key {told}"}}
        data = json.dumps(reply).encode()
        if "What is 5 plus" in body.decode():
            status, data = 200, f"<html>{told}</html>".encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def echo():
    Echo.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def forms():
    """The secrets as they may be written."""
    for secret in PLANTED.values():
        raw = secret.encode()
        yield from (raw, base64.b64encode(raw), base64.b64encode(raw).rstrip(b"="), raw.hex().encode(),
                    urllib.parse.quote(secret, safe="").encode(), json.dumps(secret)[1:-1].replace("/", "\\/").encode())


def leaks(data):
    return [form for form in forms() if form in data]


def converse(executable, home, requests, **options):
    """What a service with the keys in its environment says to these requests: (standard output, standard error)."""
    import os

    lines = "".join(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}) + "\n"
                    for number, (method, params) in enumerate(requests))
    done = subprocess.run(
        [executable, "serve", "--home", str(home), "--log-level", "trace"], input=lines.encode(), capture_output=True,
        timeout=120, env={**os.environ, **PLANTED}, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_no_byte_of_a_key_is_kept_or_told(executable, tmp_path, echo):
    home = tmp_path / "home"
    lm = {"model": "openai/echo", "apiBase": echo, "apiKeyEnv": "HONE_TEST_SECRET", "retries": 1,
          "headers": {"X-Team": {"env": "HONE_TEST_TEAM"}}}
    plain = {"program": "question -> answer", "lm": lm, "metric": "exact_match"}
    out, log = converse(executable, home, [
        ("evaluate", {**plain, "devset": ROWS[:4] + ROWS[5:], "partialResultToken": "p", "workDoneToken": "w"}),
        ("evaluate", {**plain, "devset": ROWS[3:6]}),
        ("predict", {"program": "question -> answer", "lm": lm, "inputs": ROWS[6]}),
        ("predict", {"program": "question -> answer", "lm": lm, "inputs": ROWS[4]}),
        ("compile", {**plain, "trainset": ROWS[6:], "valset": ROWS[6:], "partialResultToken": "c", "optimizer": {
            "name": "MIPROv2", "auto": None, "num_candidates": 2, "num_trials": 2, "minibatch_size": 4}}),
        ("doctor", {}),
    ])
    answers = {a["id"]: a for a in map(json.loads, out.splitlines()) if "id" in a}
    assert "result" in answers[0] and "result" in answers[2] and answers[3]["error"]["data"]["kind"] == "authentication"
    assert (f"Bearer {KEY}", TEAM) in Echo.asked, "the keys were sent"
    assert "[redacted]" in out.decode()
    assert not leaks(out) and not leaks(log)

    # What is read back later, over all methods that read.
    traces = [("listTraces", {"maxResults": 1000}), ("listRuns", {"maxResults": 1000})]
    listed, _ = converse(executable, home, traces)
    listed_answers = [json.loads(line) for line in listed.splitlines()]
    requests = []
    for answer in listed_answers:
        requests += [("getTrace", {"traceId": t["traceId"]}) for t in answer["result"].get("traces", [])]
        requests += [("getRun", {"runId": r["runId"], "history": True}) for r in answer["result"].get("runs", [])]
        requests += [("listArtifacts", {"runId": r["runId"]}) for r in answer["result"].get("runs", [])]
    out, log = converse(executable, home, requests)
    assert len(requests) > 20 and not leaks(listed) and not leaks(out) and not leaks(log)

    searched = 0
    for file in home.rglob("*"):
        assert not leaks(str(file).encode())
        if file.is_file():
            searched += 1
            assert not leaks(file.read_bytes()), file
    assert searched > 10


def test_while_it_works_the_log_of_the_database_holds_none_either(start, tmp_path, echo):
    client = start(tmp_path / "home", env=PLANTED)
    lm = {"model": "openai/echo", "apiBase": echo, "apiKeyEnv": "HONE_TEST_SECRET", "retries": 1}
    client.evaluate("question -> answer", ROWS[6:], "exact_match", lm=lm)
    files = list((tmp_path / "home").glob("hone.sqlite*"))
    assert any(file.name.endswith("-wal") and file.stat().st_size for file in files)
    assert not any(leaks(file.read_bytes()) for file in files)


LITERAL = "abcDEF123-literal-secret"
REFUSED = {
    "apiKey": {"apiKey": LITERAL}, "api_key": {"api_key": LITERAL}, "key": {"key": LITERAL}, "token": {"token": LITERAL},
    "authorization": {"Authorization": LITERAL}, "a header": {"headers": {"X-Team": LITERAL}},
    "the key itself as the variable's name": {"apiKeyEnv": LITERAL},
    "a key without punctuation": {"apiKeyEnv": "gsk_abcDEF123literalsecret"},
    "extra": {"extra": {"api_key": LITERAL}}, "headers within extra": {"extra": {"extra_headers": {"a": LITERAL}}},
    "the base URL's user": {"apiBase": f"http://me:{LITERAL}@127.0.0.1:1/v1"},
    "the base URL's query": {"apiBase": f"http://127.0.0.1:1/v1?key={LITERAL}"},
}


@pytest.mark.parametrize("where", REFUSED)
def test_a_literal_key_is_refused_without_being_repeated(executable, tmp_path, where):
    lm = {"model": "openai/echo", "apiBase": "http://127.0.0.1:1/v1", **REFUSED[where]}
    out, log = converse(executable, tmp_path / "home", [
        ("predict", {"program": "question -> answer", "lm": lm, "inputs": ROWS[0]}),
        ("evaluate", {"program": "question -> answer", "lm": lm, "devset": ROWS, "metric": "exact_match"}),
    ])
    for answer in map(json.loads, out.splitlines()):
        assert answer["error"]["code"] == -32602
        assert any(p["path"].startswith("lm") for p in answer["error"]["data"]["problems"])
    assert "nvironment variable" in out.decode() or "apiKeyEnv" in out.decode()
    secret = b"abcDEF123"
    assert secret not in out and secret not in log
    for file in (tmp_path / "home").rglob("*"):
        assert not file.is_file() or secret not in file.read_bytes()
