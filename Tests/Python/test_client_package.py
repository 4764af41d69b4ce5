"""The Python package by itself: what it imports, how it reads data, how results look, and how it ends."""

import ast
import asyncio
import datetime
import enum
import inspect
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

import hone
from conftest import ROOT, wait_until
from fake import FakeService
from hone.display import View, clean
from hone.progress import Bar, Lines, listener
from hone.values import plain, wire_dataset
from tutorial import DEVSET, QUESTION, compile_small

PACKAGE = ROOT / "Clients" / "python"
DOCUMENT = json.loads((ROOT / "Protocol" / "openrpc.json").read_text("utf-8"))
SOURCES = sorted((PACKAGE / "hone").glob("*.py"))


# MARK: The package

def test_it_needs_the_standard_library_and_nothing_else():
    # Without `site` no other package can be found.
    code = ("import sys; sys.path.insert(0, sys.argv[1]); import hone; "
            "print(*[one for one in sys.modules.values() if 'site-packages' in str(getattr(one, '__file__', ''))])")
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, str(PACKAGE)], stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_its_syntax_is_that_of_python_3_9_and_everything_public_is_described(source):
    tree = ast.parse(source.read_text("utf-8"), feature_version=(3, 9))
    assert ast.get_docstring(tree)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    functions = [node for owner in [tree, *(c for c in classes if not c.bases)] for node in owner.body
                 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for node in classes + functions:
        is_overload = any("overload" in ast.dump(one) for one in node.decorator_list)
        if not node.name.startswith("_") and not is_overload:
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_it_is_typed_strictly(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "hone", "examples"], cwd=PACKAGE,
        stdout=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


def test_both_clients_have_the_same_methods():
    def methods(kind):
        return {name for name in dir(kind) if not name.startswith("_")}

    assert methods(hone.Client) == methods(hone.AsyncClient)


def test_help_shows_what_a_method_takes_and_gives():
    for made in (hone.Client.get_run, hone.AsyncClient.get_run):
        shown = str(inspect.signature(made))
        assert shown == (
            "(self, run_id: 'str', *, history: 'Optional[bool]' = None, trials: 'Optional[bool]' = None) -> 'RunDetails'")
        assert "One run" in made.__doc__
    assert "self" not in inspect.signature(hone.get_run).parameters


def test_every_method_of_the_service_has_one_of_python():
    for method in DOCUMENT["methods"]:
        if method["name"] in ("initialize", "shutdown") or "/" in method["name"] or method["name"].startswith("$"):
            continue
        name = re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), method["name"].replace("rpc.", ""))
        made = getattr(hone.Client, name, None)
        assert made is not None, f"{method['name']} has no method in Clients/python/hone/requests.py"
        taken = inspect.signature(made).parameters
        required = [re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), parameter["name"])
                    for parameter in method["params"] if parameter.get("required")]
        assert set(required) <= set(taken), name


def test_evaluations_are_compared_row_by_row(client):
    one, other = (client.evaluate("question -> answer", DEVSET, "numeric_match", lm="simulated", module=module)
                  for module in ("Predict", "ChainOfThought"))
    comparison, = client.compare_runs([one.run_id, other.run_id])["comparisons"]
    assert comparison["common"] == DEVSET["limit"]
    scores = [run["scores"] for run in client.list_results([one.run_id, other.run_id])]
    assert [len(found) for found in scores] == [DEVSET["limit"]] * 2
    pages = list(client.list_results([one.run_id], details=True))
    assert [row for run in pages for row in run["results"]] == one["results"] and len(one["results"]) == DEVSET["limit"]
    first = client.list_results([one.run_id], details=True, max_results=3)
    assert first["nextPageToken"] and [row for run in first for row in run["results"]] == one["results"][:3]
    assert client.collect_garbage(dry_run=True)["dryRun"] is True
    assert client.update_run(one.run_id, name="plain", tags={"a": "b"}).run.name == "plain"
    assert client.get_run(one.run_id).data.tags["a"] == "b" and client.get_usage(one.run_id)["byRole"]
    assert "eval" in client.list_run_keys()["metrics"]


# MARK: Values

class Color(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: float


class LikeDSPy(dict):
    """As dspy.Example is: members in toDict, inputs in _input_keys."""

    _input_keys = {"question"}

    def toDict(self):  # noqa: N802
        return {"question": "q", "answer": "a"}


@pytest.mark.parametrize("value, wire", [
    (Color.RED, "red"), (Point(1, 2.5), {"x": 1, "y": 2.5}), (float("nan"), None), (Decimal("1.5"), 1.5),
    (datetime.date(2024, 1, 2), "2024-01-02"), (Path("a/b"), "a/b"), ((1, {2}), [1, [2]]), ({1: None}, {"1": None}),
    (b"ab", "YWI="), (True, True), (hone.Example(a=1), {"a": 1})])
def test_values_of_python_are_sent_as_json_has_them(value, wire):
    assert plain(value) == wire
    json.dumps(plain(value), allow_nan=False)


def test_what_json_has_nothing_for_is_refused_by_name():
    with pytest.raises(TypeError, match="object"):
        plain({"a": [object()]})


def test_data_come_as_rows_examples_frames_paths_and_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"question": "q", "answer": "a"}]
    assert wire_dataset(rows) == wire_dataset(row for row in rows) == rows
    assert wire_dataset([LikeDSPy()]) == {"rows": rows, "inputs": ["question"]}
    assert wire_dataset([hone.Example(**rows[0]).with_inputs("question")]) == {"rows": rows, "inputs": ["question"]}
    assert wire_dataset("a.jsonl") == wire_dataset(Path("a.jsonl")) == {"path": str(tmp_path / "a.jsonl")}
    assert wire_dataset({"path": "a.csv", "limit": 3}) == {"path": str(tmp_path / "a.csv"), "limit": 3}
    assert wire_dataset("gsm8k:train") == {"name": "gsm8k", "split": "train"}
    assert wire_dataset({"rows": [LikeDSPy()], "limit": 1}) == {"rows": rows, "inputs": ["question"], "limit": 1}
    with pytest.raises(TypeError, match="not a data set"):
        wire_dataset(3)
    with pytest.raises(TypeError, match="Row 0"):
        wire_dataset([3])


def test_a_frame_is_data_and_results_become_frames(client):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"question": ["What is 2 + 3?", "What is 4 + 4?"], "answer": ["5", "8"],
                              "note": [None, float("nan")]})
    assert wire_dataset(frame)[1] == {"question": "What is 4 + 4?", "answer": "8", "note": None}
    result = client.evaluate("question -> answer", frame, "numeric_match", lm="simulated")
    table = result.to_pandas()
    assert list(table["index"]) == [0, 1] and {"score", "answer", "trace_id"} <= set(table.columns)
    compiled = compile_small(client, experiment="frames")
    assert list(compiled.to_pandas()["score"]) == [trial.score for trial in compiled.trials]
    runs = client.list_runs("frames").to_pandas()
    assert len(runs) == len(compiled.trials) + 1 and "metrics.eval" in runs.columns
    assert not client.get_run(compiled.run_id, history=True).to_pandas().empty
    assert len(client.get_trace(result.results[0].trace_id).to_pandas()) == 5


def test_examples_of_dspy_are_data(client):
    dspy = pytest.importorskip("dspy")
    rows = [dspy.Example(question=f"What is {n} + 3?", answer=str(n + 3)).with_inputs("question") for n in range(4)]
    result = client.evaluate(hone.ChainOfThought("question -> answer"), rows, "numeric_match", lm="simulated")
    assert result.count == 4


def test_a_signature_of_dspy_is_a_signature(client):
    dspy = pytest.importorskip("dspy")

    class Answer(dspy.Signature):
        """Answer shortly."""

        question: str = dspy.InputField()
        answer: int = dspy.OutputField(desc="a number")

    loaded = client.evaluate(hone.Predict(Answer), [{"question": "What is 2 + 3?", "answer": 5}], "numeric_match",
                             lm="simulated")
    state = client.load_program(run=loaded.run_id).state
    assert "Answer shortly." in json.dumps(state) and "a number" in json.dumps(state)


# MARK: Results

def test_results_are_what_came_and_have_members_of_python(client):
    result = compile_small(client)
    assert result.run_id == result["runId"] and result.trials[0].best_so_far == result["trials"][0]["bestSoFar"]
    assert result.usage.total_tokens == result["usage"]["totalTokens"] and result.simulated is True
    text = repr(result)
    assert f"{result.score:.1f} %" in text and "eval_full_0" in text and result.run_id in text and "simulated" in text
    assert json.loads(json.dumps(result)) == result
    answer = client.predict({"question": QUESTION}, program=result, lm="simulated")
    assert answer.answer == answer["outputs"]["answer"] and answer.trace_id
    with pytest.raises(AttributeError, match="there are: reasoning, answer"):
        answer.nothing
    trace = client.get_trace(answer.trace_id)
    assert [depth for depth, _ in trace.tree()] == [0, 1, 2, 2, 2] and "· · LM.__call__" in repr(trace)
    run = client.get_run(result.run_id)
    assert run.data.metrics["score"] == result.score and run.info.status == "FINISHED"
    assert client.load_program(run=result.run_id).predictors[0]["name"] == "predict"
    artifacts = client.list_artifacts(result.run_id)
    assert "best_model.json" in repr(artifacts)
    assert client.get_artifact(result.run_id, "best_model.json").json() == result.program


def test_nothing_in_a_value_is_taken_for_markup_or_for_commands():
    hostile = "<script>alert(1)</script>\x1b[31m\x07\u202e" + "x" * 500
    view = View(hostile, [(hostile, hostile)], [hostile], [[hostile]], hostile)
    assert "<script>" not in view.html() and "&lt;script&gt;" in view.html()
    for text in (view.html(), view.text(), clean(hostile)):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
    result = hone.EvaluateResult({"score": 1.0, "results": [{"index": 0, "outputs": {"<b>": hostile}}]})
    assert "<b>" not in result._repr_html_() and "<script>" not in result._repr_html_()
    assert "\x1b" not in repr(result) and max(map(len, repr(result).splitlines())) < 250
    assert hone.CompileResult({})._repr_html_() and repr(hone.Trace({})) and repr(hone.RunDetails({}))


def test_lists_fetch_their_pages_as_one_goes_through_them(client):
    for name in ("a", "b", "c"):
        client.predict({"question": name}, program="question -> answer", lm="simulated", experiment=f"e-{name}")
    page = client.list_experiments(max_results=2)
    assert len(page) == 2 and page["nextPageToken"]
    rest = client.list_experiments(max_results=2, page_token=page["nextPageToken"])
    everything = client.list_experiments()
    assert {e["name"] for e in [*page, *rest]} == {e["name"] for e in everything} == {"e-a", "e-b", "e-c", "Default"}
    assert everything[0]["name"] == "e-c" and everything[-1]["name"] == "Default" and everything
    assert not client.list_runs() and "0 runs" in repr(client.list_runs())


def test_all_pages_are_fetched(tmp_path):
    def script(service, request):
        number = int(request.get("params", {}).get("pageToken", "0"))
        service.reply(request, {
            "runs": [{"runId": str(number * 2 + i)} for i in range(2 if number != 1 else 0)],
            "nextPageToken": str(number + 1) if number < 3 else None})

    service = FakeService(tmp_path / "s", script)
    with hone.Client.connect(service.path) as client:
        runs = client.list_runs()
        assert [runs[0].run_id, runs[4].run_id] == ["0", "6"] and len(service.heard) == 4
        assert [run.run_id for run in runs] == ["0", "1", "4", "5", "6", "7"] and len(service.heard) == 4
        with pytest.raises(IndexError):
            runs[6]


# MARK: Errors

def test_every_kind_of_the_protocol_has_a_class():
    kinds = DOCUMENT["x-errorKinds"]
    assert len(kinds) > 10
    for kind in kinds:
        made = hone.HoneError.from_wire({"code": -32803, "message": "m", "data": {"kind": kind}})
        assert type(made) is not hone.HoneError and made.kind == kind, kind


@pytest.mark.parametrize("wire, kind", [
    ({"code": -32602, "message": "m"}, hone.InvalidParams), ({"code": -32800, "message": "m"}, hone.Cancelled),
    ({"code": -32601, "message": "m"}, hone.MethodNotFound), ("junk", hone.HoneError),
    ({"code": "x", "data": {"kind": ["x"], "problems": 3}}, hone.InternalError)])
def test_an_error_has_the_class_that_it_deserves(wire, kind):
    assert type(hone.HoneError.from_wire(wire)) is kind


def test_errors_travel_between_processes():
    error = hone.HoneError.from_wire({"code": -32803, "message": "m", "data": {"kind": "rateLimited", "runId": "r"}})
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.run_id, str(again)) == (hone.RateLimited, "r", "m")
    assert issubclass(hone.ConnectionLost, hone.HoneError) and issubclass(hone.ConnectionLost, ConnectionError)
    assert issubclass(hone.Interrupted, KeyboardInterrupt)


# MARK: Progress

REPORT = {"kind": "report", "message": "Proposing", "percentage": 5,
          "data": {"phase": "Proposing", "executions": 2, "planned": 10, "calls": 3, "score": 40.0, "trial": 1}}


def test_lines_are_few():
    written = []
    lines = Lines("compile", written.append)
    for report in [{"kind": "begin", "title": "compile"}, *[REPORT] * 50, {"kind": "end", "message": "done\x1b[2J"}]:
        lines(report)
    assert written == ["compile: Proposing (5 %)\n", "compile: done·[2J\n"]


def test_a_bar_shows_how_far_it_is():
    tqdm = pytest.importorskip("tqdm")
    made = []

    def make(**options):
        made.append(tqdm.tqdm(**options, file=open(os.devnull, "w")))
        return made[-1]

    bar = Bar(make, "compile")
    bar({"kind": "begin"})
    bar(REPORT)
    assert (made[0].n, made[0].total) == (2, 10) and "best=40" in made[0].postfix and "Proposing" in made[0].desc
    bar({"kind": "end"})
    assert made[0].disable


def test_progress_is_what_was_asked_for(client, capfd):
    assert listener(None, "x") is None and listener(False, "x") is None and listener(print, "x") is print
    heard = []
    client.evaluate("question -> answer", DEVSET, "numeric_match", lm="simulated", progress=heard.append)
    assert heard[0]["kind"] == "begin" and heard[-1]["kind"] == "end"
    client.evaluate("question -> answer", DEVSET, "numeric_match", lm="simulated", progress=True)
    assert "evaluate: done" in capfd.readouterr().err


def test_a_listener_may_use_the_client(client):
    seen = []
    client.evaluate("question -> answer", DEVSET, "numeric_match", lm="simulated",
                    on_progress=lambda report: seen.append(client.list_experiments()))
    assert seen


# MARK: Coroutines

def test_the_asynchronous_client_does_the_same(executable, tmp_path):
    async def main():
        async with hone.AsyncClient.start(tmp_path / "home", executable=executable) as client:
            one, other = await asyncio.gather(
                client.evaluate("question -> answer", DEVSET, "numeric_match", lm="simulated", experiment="e"),
                client.predict({"question": QUESTION}, program="question -> answer", lm="simulated"))
            assert one.count == DEVSET["limit"] and other.trace_id
            runs = await client.list_runs("e")
            assert [run.run_id async for run in runs] == [one.run_id] and len(await runs.all()) == 1
            assert (await client.get_run(one.run_id)).run.status == "FINISHED"
            results = await client.batch([("getRun", {"runId": one.run_id}), ("getRun", {"runId": "none"})])
            assert results[0]["run"]["runId"] == one.run_id and isinstance(results[1], hone.NotFound)
            with pytest.raises(hone.NotFound):
                await client.get_trace("tr-" + "0" * 32)
            assert "calls under way" in repr(client)
        assert client.process.returncode == 0
        with pytest.raises(hone.ConnectionLost):
            await client.list_runs()

    asyncio.run(main())


def test_a_task_that_is_cancelled_cancels_its_call(tmp_path):
    service = FakeService(tmp_path / "s", lambda service, request: None)

    async def main():
        async with hone.AsyncClient.connect(service.path) as client:
            task = asyncio.ensure_future(client.call("slow"))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(TimeoutError):
                await client.call("slower", timeout=0.05)

    asyncio.run(asyncio.wait_for(main(), 30))
    ids = [message["id"] for message in service.heard if "id" in message]
    cancelled = [service.notifications.get(timeout=10)["params"]["id"] for _ in ids]
    assert cancelled == ids and len(ids) == 2


# MARK: Its end

SCRIPT = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
import hone
client = hone.Client.start(sys.argv[2])
client.list_experiments()
print(client.process.pid, flush=True)
"""


def run_script(executable, home, more, **options):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT + more, str(PACKAGE), str(home)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "HONE": executable}, **options)


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split(")")[-1].split()[0] == "Z"


def test_a_script_that_forgets_to_close_leaves_no_process(executable, tmp_path):
    process = run_script(executable, tmp_path / "home", "")
    pid = int(process.stdout.readline())
    assert process.wait(20) == 0
    wait_until(lambda: is_gone(pid))
    process.stdout.close()


def test_a_client_that_is_killed_leaves_no_process_even_with_a_forked_child(executable, tmp_path):
    process = run_script(executable, tmp_path / "home", """
if os.fork() == 0:
    try:
        client.list_experiments()
    except hone.ConnectionLost as error:
        print("child:", error, flush=True)
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
""")
    pid = int(process.stdout.readline())
    assert "belongs to the parent" in process.stdout.readline()
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    try:
        wait_until(lambda: is_gone(pid))
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()


def test_ctrl_c_cancels_the_compile_and_says_what_there_is(executable, tmp_path):
    process = run_script(executable, tmp_path / "home", """
import socket
with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
    lm = {"model": "openai/x", "api_base": f"http://127.0.0.1:{server.getsockname()[1]}/v1", "retries": 0}
    try:
        client.compile("question -> answer", "MIPROv2", "word-problems:train", "numeric_match", lm=lm,
                       on_progress=lambda report: print(*report.get("data", {}).keys(), flush=True))
    except KeyboardInterrupt as error:
        print(type(error).__name__, error.run_id, client.get_run(error.run_id).run.status, flush=True)
client.close()
""", start_new_session=True)
    pid = int(process.stdout.readline())
    while "runId" not in process.stdout.readline():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # As a terminal does: to the whole group.
    out, _ = process.communicate(timeout=30)
    name, run_id, status = out.splitlines()[-1].split()
    assert name == "Interrupted" and status == "KILLED" and len(run_id) == 32
    assert process.returncode == 0 and is_gone(pid)


def test_a_service_that_ends_at_once_is_said_so(tmp_path):
    program = tmp_path / "hone"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    with hone.Client.start(executable=program) as client:
        with pytest.raises(hone.ConnectionLost, match="status 3"):
            client.list_runs()


def test_a_service_that_reads_nothing_holds_nobody_up(tmp_path):
    program = tmp_path / "hone"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    client = hone.Client.start(executable=program)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        client.call("evaluate", {"devset": ["x" * 1000] * 5000}, timeout=0.2)
    client.close(timeout=0.5)
    assert time.monotonic() - began < 15 and client.process.returncode is not None


def test_a_service_that_dies_in_the_middle_of_a_message_ends_the_calls(tmp_path):
    program = tmp_path / "hone"
    program.write_text("#!/bin/sh\nread line\nprintf 'Content-Length: 100\\r\\n\\r\\n{\"jsonrpc\":'\nexit 7\n")
    program.chmod(0o755)
    with hone.Client.start(executable=program) as client:
        with pytest.raises(hone.ConnectionLost, match="status 7"):
            client.list_runs()


def test_the_program_is_found_where_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("HONE", raising=False)
    with pytest.raises(FileNotFoundError, match="Put hone on the PATH"):
        hone.Client.start()
    with pytest.raises(OSError, match="hone serve --socket"):
        hone.connect(tmp_path / "none")


def test_many_threads_share_one_client(tmp_path):
    FakeService(tmp_path / "s", lambda service, request: service.reply(request, request["params"]))
    answers = []
    with hone.Client.connect(tmp_path / "s") as client:
        threads = [threading.Thread(target=lambda n=n: answers.append(client.call("echo", {"n": n})["n"] == n))
                   for n in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert answers == [True] * 100
