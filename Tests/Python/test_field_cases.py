"""The cases from the field that lie beside the project, as they are, each with what its reporter expected.

`shared/cases/field.jsonl` says what is done, `endpoint.py` answers. Further members of each kind are in test_whose_fault.py,
test_honest_scores.py, test_environment.py, test_types.py and test_field_cases_data.py.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import hone
import pytest

from conftest import SHARED

FIELD = SHARED / "cases" / "field.jsonl"
CASES = {case["id"]: case for case in map(json.loads, FIELD.read_text().splitlines())} if FIELD.exists() else {}
pytestmark = pytest.mark.skipif(not CASES, reason="the cases from the field do not lie beside the project")


@pytest.fixture
def field():
    """Where the cases' endpoint listens, new for each test: its replies come in an order."""
    process = subprocess.Popen(
        [sys.executable, str(FIELD.with_name("endpoint.py")), str(FIELD), "0"], stdout=subprocess.PIPE, text=True)
    base = process.stdout.readline().strip().removesuffix("/ID/v1")
    yield base
    process.kill()
    process.wait()
    process.stdout.close()


def calls(base, name):
    with urllib.request.urlopen(f"{base}/{name}/calls", timeout=10) as reply:
        return json.load(reply)


def result_of(outcome):
    assert not isinstance(outcome, hone.HoneError), outcome
    return outcome


def warned(outcome, *patterns):
    text = "\n".join(result_of(outcome).get("warnings", []))
    return all(re.search(pattern, text) for pattern in patterns)


def error_of(outcome, kind, *words):
    assert isinstance(outcome, hone.HoneError), outcome
    text = f"{outcome} {outcome.data.get('cause')} {outcome.data.get('remedy')}"
    return outcome.kind == kind and all(re.search(word, text) for word in words)


def outputs(expected):
    return lambda outcome, count: result_of(outcome)["outputs"] == expected


EXPECTED = {
    "blocked-row": lambda r, n: result_of(r)["status"] == "FINISHED" and r["score"] == 100 and r["refused"] == r["failed"] == 1
        and sum("content management policy" in row.get("error", {}).get("message", "") for row in r["results"]) == 1,
    "no-credit": lambda r, n: error_of(r, "insufficientCredit", "Insufficient credits", "Add credit", "hone resume") and n == 5
        if isinstance(r, hone.HoneError) else r["status"] == "PAUSED",
    "leak": lambda r, n: result_of(r)["score"] == 0 and (r.get("comparison") or {}).get("verdict") != "better"
        and warned(r, "no valset"),
    "no-gold": lambda r, n: result_of(r)["score"] == 100 and n == 10 and warned(r, "5 of the 10 rows .* left out: 0, 2, 4, 6, 8"),
    "bool-from-csv": lambda r, n: result_of(r)["score"] == 50,
    "cut-reply": lambda r, n: error_of(r, "replyCut", "cut off at the token limit", "maxTokens") and n == 1,
    "answer-in-reasoning": lambda r, n: outputs({"answer": "Paris"})(r, n) and n <= 2,
    "tool-call-only": lambda r, n: error_of(r, "replyToolCall", "called a tool") and n <= 2,
    "native-reasoning": outputs({"reasoning": "six times seven", "answer": "42"}),
    "near-label": lambda r, n: outputs({"answer": "positive"})(r, n) and n == 1,
    "date-type": outputs({"day": "2024-02-29"}),
    "long-wait": lambda r, n: error_of(r, "quotaExhausted", "UTC", "60 min", "maxWait") and n == 1,
    "root-url": outputs({"answer": "Paris"}),
    "litellm-prefix": outputs({"answer": "Paris"}),
    "token-limit-name": lambda r, n: outputs({"answer": "Paris"})(r, n) and n == 2,
    "pandas-index": lambda r, n: result_of(r)["score"] == 100,
    "parquet": lambda r, n: error_of(r, "datasetInvalid", "Parquet", "read_parquet") and n == 0,
    "array-in-jsonl": lambda r, n: result_of(r)["score"] == 50 and r["count"] == 2,
    "nan-in-jsonl": lambda r, n: result_of(r)["score"] == 100,
    "column-names": lambda r, n: result_of(r)["score"] == 100,
    "f1-of-a": lambda r, n: result_of(r)["score"] == 100,
    "signs": lambda r, n: result_of(r)["score"] == 0,
    "perfect-already": lambda r, n: result_of(r)["score"] == 100 and n <= 10 and warned(r, "nothing can score better"),
    "told-cost": lambda r, n: result_of(r)["status"] == "BUDGET_EXHAUSTED" and r["usage"]["cost"] == pytest.approx(0.004 * n)
        and r["usage"]["cost"] <= 0.01,
    "percent-scale": lambda r, n: warned(r, "87.5", "metric_threshold"),
    "reply-to-self": lambda r, n: "self" not in str(r),
}
SHELL = {name for name, case in CASES.items() if "shell" in case}


def test_every_case_is_expected_to_do_something():
    assert set(CASES) == set(EXPECTED) | SHELL and len(CASES) >= 32


@pytest.mark.parametrize("name", sorted(set(EXPECTED) & set(CASES)))
def test_a_case_of_the_field(start, field, tmp_path, monkeypatch, name):
    case = CASES[name]
    monkeypatch.chdir(tmp_path)
    for path, text in case.get("files", {}).items():
        (tmp_path / path).write_text(text)
    request = json.loads(json.dumps(case["request"]).replace("$ENDPOINT", field))
    params = request["params"]
    if name == "column-names":
        params["devset"]["columns"] = {"question": "User Question", "answer": "Expected Answer"}
    began = time.monotonic()
    client = start(tmp_path / "home")
    try:
        if name == "percent-scale":
            def rating(example, prediction):
                return 87.5
            outcome = client.evaluate(params["program"], params["devset"], rating, lm=params["lm"])
        else:
            outcome = client.call(request["method"], params)
    except hone.HoneError as error:
        outcome = error
    assert EXPECTED[name](outcome, calls(field, name)), outcome
    assert time.monotonic() - began < 30


def shell(executable, field, tmp_path, name, **environment):
    directory = os.path.dirname(executable)
    link = tmp_path / "bin"
    link.mkdir()
    (link / "hone").symlink_to(executable)
    return subprocess.run(
        ["bash", "-c", CASES[name]["shell"].replace("$ENDPOINT", field)], cwd=tmp_path, capture_output=True, text=True,
        timeout=60, env={**os.environ, "PATH": f"{link}:{directory}:{os.environ['PATH']}", **environment})


def test_the_base_url_variable(executable, field, tmp_path):
    done = shell(executable, field, tmp_path, "base-url-variable")
    assert done.returncode == 0 and "answer: Paris" in done.stdout and calls(field, "base-url-variable") == 1


def test_a_proxy_is_asked_for_what_is_behind_it(executable, field, tmp_path):
    asked = []

    class Proxy(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            asked.append(self.requestline)
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps({"choices": [{"index": 0, "finish_reason": "stop", "message": {
                "role": "assistant", "content": "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\nParis"}}]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    done = shell(executable, f"http://127.0.0.1:{server.server_port}", tmp_path, "proxy")
    server.shutdown()
    assert done.returncode == 0 and "answer: Paris" in done.stdout, done.stderr
    assert asked == ["POST http://llm.example.invalid/proxy/v1/chat/completions HTTP/1.1"]


@pytest.mark.skipif(sys.platform == "darwin", reason="script has other options there")
def test_control_characters_reach_no_terminal(executable, field, tmp_path):
    shown = shell(executable, field, tmp_path, "control-characters").stdout
    # cat -v shows the signs that stand for control characters as M-^[ and such.
    assert "overwritten" in shown and not re.search(r"(?<!M-)\^[A-LN-Z\[]", shown)


def test_inputs_from_standard_input(executable, field, tmp_path):
    done = shell(executable, field, tmp_path, "long-input")
    assert done.returncode == 0 and "answer:" in done.stdout


def test_a_pretty_request_is_one_error(executable, field, tmp_path):
    done = shell(executable, field, tmp_path, "pretty-request")
    lines = done.stdout.splitlines()
    assert len(lines) == 1 and "jq -c" in lines[0] and "Content-Length" in lines[0]


def test_a_shutdown_is_answered_though_exit_follows(executable, field, tmp_path):
    for attempt in range(3):
        done = subprocess.run(
            [executable, "serve"], capture_output=True, text=True, cwd=tmp_path, timeout=20,
            input='{"jsonrpc":"2.0","id":1,"method":"shutdown"}\n{"jsonrpc":"2.0","method":"exit"}\n')
        assert [json.loads(line) for line in done.stdout.splitlines()] == [{"jsonrpc": "2.0", "id": 1, "result": None}]
