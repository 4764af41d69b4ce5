"""One request gives one result, whatever carries it; and what the wire promises beside that."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

import hone
from conftest import ROOT, wait_until
from tutorial import DEVSET, OPTIMIZER, TRAINSET, VALSET

EVALUATE = {"program": "question -> answer", "devset": DEVSET, "metric": "numeric_match", "lm": "simulated"}
COMPILE = {
    "program": "question -> answer", "optimizer": OPTIMIZER, "trainset": TRAINSET, "valset": VALSET,
    "metric": "numeric_match", "lm": "simulated", "experiment": "batch"}
# Works for minutes unless it is cancelled: no call of it finishes, and none is answered from the cache.
ENDLESS = {**EVALUATE, "devset": [{"question": f"What is {i} + 1?", "answer": str(i + 1)} for i in range(50)]}


def line(method, params=None, call_id=1):
    return json.dumps({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params or {}}) + "\n"


def headed(text):
    return b"Content-Length: %d\r\n\r\n%b" % (len(text.encode()), text.encode())


def essence(result):
    """What must not depend on the way."""
    examples = [(e["index"], e["score"], e["outputs"]) for e in result["results"]]
    return result["score"], result["count"], result["failed"], examples


@pytest.fixture
def expected(start, tmp_path):
    return essence(start(tmp_path / "expected").call("evaluate", EVALUATE))


@pytest.fixture
def hanging():
    """The address of an endpoint that takes connections and never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield {"model": "openai/x", "apiBase": f"http://127.0.0.1:{server.getsockname()[1]}/v1", "retries": 0}


def serve(executable, home, data, status=0):
    """What a service on a pipe writes to standard output for that input."""
    done = subprocess.run(
        [executable, "serve", "--home", str(home)], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=60)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout


def test_headers_on_a_pipe(executable, tmp_path, expected):
    body = line("evaluate", EVALUATE).strip()
    out = serve(executable, tmp_path / "home", headed(body))
    head, _, answer = out.partition(b"\r\n\r\n")
    assert head == b"Content-Length: %d" % len(answer)
    assert essence(json.loads(answer)["result"]) == expected


def test_lines_on_a_pipe(executable, tmp_path, expected):
    out = serve(executable, tmp_path / "home", line("evaluate", EVALUATE).encode())
    assert out.endswith(b"\n") and out.count(b"\n") == 1
    assert essence(json.loads(out)["result"]) == expected


def test_lines_on_a_socket(service_socket, expected):
    with hone.Client.connect(service_socket) as client:
        assert essence(client.call("evaluate", EVALUATE)) == expected


TOOLS = {"socat": ["socat", "-t", "60", "-", "UNIX-CONNECT:{}"], "nc": ["nc", "-N", "-U", "{}"]}


@pytest.mark.parametrize("tool", TOOLS)
def test_tools_of_the_shell(service_socket, expected, tool):
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")
    command = [word.format(service_socket) for word in TOOLS[tool]]
    data = line("evaluate", EVALUATE).encode()
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, timeout=60, check=True)
    assert essence(json.loads(done.stdout)["result"]) == expected


def test_a_batch_compiles_evaluates_and_lists(service_socket, expected):
    with hone.Client.connect(service_socket) as client:
        compiled, evaluated, listed, wrong = client.batch([
            ("compile", COMPILE), ("evaluate", EVALUATE), ("listExperiments", {}), ("getRun", {"runId": "none"})])
        assert compiled["status"] == "FINISHED" and len(compiled["trials"]) == 6
        assert essence(evaluated) == expected
        assert "Default" in {experiment["name"] for experiment in listed["experiments"]}
        assert isinstance(wrong, hone.HoneError) and wrong.kind == "notFound"
        assert compiled["runId"] in {run["runId"] for run in client.list_runs("batch")["runs"]}


@pytest.mark.skipif(not (shutil.which("socat") and shutil.which("jq")), reason="socat and jq are not installed")
def test_the_examples_of_the_shell_run(service_socket):
    script = ROOT / "Clients" / "shell" / "examples.sh"
    done = subprocess.run([str(script), service_socket], stdout=subprocess.PIPE, timeout=60, check=True, text=True)
    out = done.stdout
    assert "compile: FINISHED" in out and "evaluate: FINISHED" in out
    assert "begin: evaluate" in out and "end: done" in out and "answered: " in out
    assert "-32602 invalidParams" in out and "metric: There is no metric" in out


def test_a_quick_answer_overtakes_a_slow_one(client, hanging):
    slow = client.submit("evaluate", {**ENDLESS, "lm": hanging})
    assert client.list_experiments()["experiments"]
    assert not slow.done()
    slow.cancel()
    with pytest.raises(hone.HoneError):
        slow.result(20)


def test_many_calls_from_many_threads_get_their_own_answers(client):
    answers = {}

    def ask(number):
        with_lm = client.predict({"question": f"What is {number} + 1?"}, program="question -> answer", lm="simulated")
        trace = client.get_trace(with_lm["traceId"])
        answers[number] = trace["spans"][0]["inputs"]["question"]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == {number: f"What is {number} + 1?" for number in range(40)}


@pytest.mark.parametrize("method", ["compile", "evaluate", "predict"])
def test_a_call_can_be_cancelled_and_stays_tracked(client, hanging, method):
    params = {
        "compile": {**COMPILE, "lm": hanging}, "evaluate": {**ENDLESS, "lm": hanging, "experiment": "batch"},
        "predict": {"program": "question -> answer", "inputs": {"question": "a"}, "lm": hanging, "experiment": "batch"},
    }[method]
    began = threading.Event()
    call = client.submit(method, params, on_progress=lambda report: began.set())
    assert began.wait(20)
    wait_until(lambda: method == "predict" or client.list_runs()["runs"])
    time.sleep(0.3)
    asked = time.monotonic()
    call.cancel()
    with pytest.raises(hone.HoneError) as caught:
        call.result(20)
    assert time.monotonic() - asked < 5
    assert (caught.value.code, caught.value.is_cancelled) == (-32800, True)
    if method != "predict":
        run = client.get_run(caught.value.run_id)["run"]
        assert run["status"] == "KILLED" and run["tags"]["hone.status"] == "CANCELLED"
    assert client.call("evaluate", EVALUATE)["count"] == DEVSET["limit"]


def test_progress_begins_rises_and_ends_before_the_answer(client):
    reports, parts = [], []
    result = client.compile(
        **{key: COMPILE[key] for key in ("program", "optimizer", "trainset", "valset", "metric", "lm")},
        on_progress=reports.append, on_partial=parts.append)
    kinds = [report["kind"] for report in reports]
    assert kinds[0] == "begin" and kinds[-1] == "end" and set(kinds[1:-1]) == {"report"}
    percentages = [report["percentage"] for report in reports if "percentage" in report]
    assert percentages == sorted(percentages) and 0 <= percentages[0] and percentages[-1] <= 100
    trials = [part["trial"]["name"] for part in parts if "trial" in part]
    assert trials == [trial["name"] for trial in result["trials"]]


def test_standard_output_carries_nothing_but_messages(executable, tmp_path):
    lines = [
        line("listExperiments", call_id="a"), "no JSON\n", line("evaluate", {}, "b"), line("nothing", {}, "c"),
        '{"jsonrpc":"2.0","method":"$/unknown"}\n', line("evaluate", EVALUATE, "d"), "\n"]
    out = serve(executable, tmp_path / "home", "".join(lines).encode())
    answers = [json.loads(text) for text in out.decode().splitlines()]
    assert sorted(str(answer["id"]) for answer in answers) == ["None", "a", "b", "c", "d"]
    for answer in answers:
        assert answer["jsonrpc"] == "2.0" and len(set(answer) & {"result", "error"}) == 1


def test_everything_asked_is_answered_after_the_end_of_input(executable, tmp_path):
    requests = [line("evaluate", EVALUATE, number) for number in range(8)]
    out = serve(executable, tmp_path / "home", "".join(requests).encode())
    answers = [json.loads(text) for text in out.splitlines()]
    assert sorted(answer["id"] for answer in answers) == list(range(8))
    assert len({answer["result"]["score"] for answer in answers}) == 1


@pytest.mark.parametrize("with_shutdown, status", [(True, 0), (False, 1)])
def test_exit_tells_whether_the_session_was_shut_down(executable, tmp_path, with_shutdown, status):
    text = '{"jsonrpc":"2.0","id":1,"method":"shutdown"}\n' if with_shutdown else line("listExperiments")
    process = subprocess.Popen(
        [executable, "serve", "--home", str(tmp_path / "home")], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdin.write(text.encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.stdin.write(b'{"jsonrpc":"2.0","method":"exit"}\n')
        process.stdin.flush()
        assert process.wait(20) == status
    finally:
        process.kill()
        process.communicate()


def test_initialize_names_the_server_and_nothing_but_exit_follows_shutdown(client):
    known = client.call("initialize", {"processId": os.getpid(), "capabilities": {}})
    assert known["serverInfo"]["name"]
    with pytest.raises(hone.HoneError) as twice:
        client.call("initialize", {"processId": None, "capabilities": {}})
    assert twice.value.code == -32600
    assert client.call("shutdown") is None
    with pytest.raises(hone.HoneError) as late:
        client.list_experiments()
    assert late.value.code == -32600
    client.notify("exit")
    assert client.process.wait(20) == 0


def test_the_document_describes_every_method_that_a_client_uses(client):
    document = client.discover()
    names = {method["name"] for method in document["methods"]}
    assert {"compile", "evaluate", "listRuns", "getTrace", "loadProgram", "predict", "getRun", "listExperiments",
            "listTraces", "listArtifacts", "getArtifact"} <= names
    for method in document["methods"]:
        assert method["summary"] and isinstance(method["params"], list) and "schema" in method["result"]


@pytest.mark.skipif(
    not all(map(shutil.which, ("socat", "nc", "jq"))), reason="socat, nc and jq are not all installed")
def test_the_commands_of_the_shells_page_run(service_socket, executable, tmp_path):
    page = (ROOT / "Clients" / "shell" / "README.md").read_text("utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", page, re.S)
    assert len(blocks) == 9
    os.symlink(executable, tmp_path / "hone")
    environment = {
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HONE_HOME": str(tmp_path / "home"),
        "HOME": str(tmp_path), "XDG_RUNTIME_DIR": service_socket.removesuffix("/s")}
    try:
        outputs = []
        for block in blocks[1:]:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block.replace("/tmp/hone.sock", service_socket)], cwd=tmp_path,
                env=environment, stdout=subprocess.PIPE, timeout=60, check=True, text=True)
            assert "error" not in done.stdout, block
            outputs.append(done.stdout.split())
    finally:
        # The service that --attach has started.
        for lock in Path(environment["XDG_RUNTIME_DIR"], "hone").glob("*.sock.lock"):
            os.kill(int(lock.read_text()), signal.SIGTERM)
    assert all(outputs[:-1]) and not outputs[-1]
    assert [word for word in outputs[4] if word.endswith(":")] == ["train:", "val:", "test:"]
    assert outputs[6] == ["FINISHED"]
    assert (tmp_path / ".local/share/bash-completion/completions/hone").stat().st_size > 1000


def test_a_service_that_is_killed_loses_no_caller(client, hanging):
    call = client.submit("evaluate", {**ENDLESS, "lm": hanging})
    client.process.send_signal(signal.SIGKILL)
    with pytest.raises(hone.ConnectionLost):
        call.result(20)
    assert "0 calls under way" in repr(client)


def test_a_terminated_service_tracks_what_it_leaves(start, tmp_path, hanging):
    first = start(tmp_path / "home")
    began = threading.Event()
    first.submit("evaluate", {**ENDLESS, "lm": hanging}, on_progress=lambda report: began.set())
    assert began.wait(20)
    wait_until(lambda: first.list_runs()["runs"])
    first.process.terminate()
    first.process.wait(20)
    run, = start(tmp_path / "home").list_runs()["runs"]
    assert run["status"] == "KILLED"


def test_a_killed_services_run_is_not_left_running(start, tmp_path, hanging):
    first = start(tmp_path / "home")
    began = threading.Event()
    first.submit("evaluate", {**ENDLESS, "lm": hanging}, on_progress=lambda report: began.set())
    assert began.wait(20)
    wait_until(lambda: first.list_runs()["runs"])
    assert first.list_runs()["runs"][0]["status"] == "RUNNING"
    first.process.kill()
    first.process.wait(20)
    run, = start(tmp_path / "home").list_runs()["runs"]
    assert run["status"] != "RUNNING"
