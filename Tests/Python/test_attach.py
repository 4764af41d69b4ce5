"""One service for all: who attaches joins it, the first one starts it, and it leaves when nobody is there."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from conftest import wait_until
from lsp import Editor

EVALUATE = {
    "program": "question -> answer", "metric": "numeric_match", "lm": "simulated", "experiment": "shared",
    "devset": {"path": "rows.jsonl"}}


@pytest.fixture
def place(tmp_path_factory, monkeypatch):
    """A directory for sockets, and one for the store; ends the service that was started."""
    directory = tmp_path_factory.mktemp("a")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    monkeypatch.setenv("HOME", str(directory / "user"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    yield directory
    for lock in directory.rglob("*.sock.lock"):
        try:
            os.kill(int(lock.read_text()), signal.SIGTERM)
        except (ProcessLookupError, ValueError):
            pass


def services(place):
    """The processes that serve: those that hold the socket's lock."""
    found = []
    for lock in (place / "hone").glob("*.sock.lock"):
        pid = int(lock.read_text() or 0)
        if Path(f"/proc/{pid}/cmdline").exists() and b"--idle-timeout" in Path(f"/proc/{pid}/cmdline").read_bytes():
            found.append(pid)
    return found


def command(executable, place, *more):
    return [executable, "serve", "--attach", "--home", str(place / "home"), *more]


def pipe(command, *messages, cwd=None):
    text = "".join(json.dumps({"jsonrpc": "2.0", **message}) + "\n" for message in messages)
    done = subprocess.run(command, input=text, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows(directory, count):
    directory.mkdir(exist_ok=True)
    (directory / "rows.jsonl").write_text(
        "\n".join(json.dumps({"question": f"What is {n} + 1?", "answer": str(n + 1)}) for n in range(count)))


def test_whoever_attaches_shares_one_service_and_counts_paths_from_where_it_is(executable, place):
    rows(place / "one", 3)
    rows(place / "two", 5)
    # Everything is answered after the end of the input.
    [first] = pipe(command(executable, place), {"id": 1, "method": "evaluate", "params": EVALUATE}, cwd=place / "one")
    [pid] = services(place)
    [second] = pipe(command(executable, place), {"id": 1, "method": "evaluate", "params": EVALUATE}, cwd=place / "two")
    assert (first["result"]["count"], second["result"]["count"]) == (3, 5)
    done = subprocess.run(
        [executable, "runs", "--attach", "--home", str(place / "home"), "--json"], capture_output=True, text=True, timeout=60)
    assert len(json.loads(done.stdout)["runs"]) == 2
    assert services(place) == [pid]
    mode = os.stat(place / "hone").st_mode & 0o777, os.stat(next((place / "hone").glob("*.sock"))).st_mode & 0o777
    assert mode == (0o700, 0o600)
    assert os.readlink(f"/proc/{pid}/cwd") == "/"


def test_editors_see_each_others_runs_and_exit_ends_only_ones_own_session(executable, place):
    rows(place / "one", 3)
    path = place / "one" / "p.hone.json"
    path.write_text(json.dumps(EVALUATE))
    first = Editor(command(executable, place), place)
    second = Editor(command(executable, place), place)
    assert len(services(place)) == 1
    uri = first.open(path)
    assert first.diagnostics(uri, 1) == []
    run = first.execute("hone.evaluate", uri)["runId"]
    assert [node["runId"] for node in second.execute("hone.runs", {"experiment": "shared"})["runs"]] == [run]
    first.close()
    assert second.request("getRun", {"runId": run})["run"]["tags"]["hone.file"] == str(path)
    second.close()


def test_many_that_come_at_once_start_one_service(executable, place):
    asked = [
        subprocess.Popen(command(executable, place), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(12)]
    try:
        for process in asked:
            process.stdin.write('{"jsonrpc":"2.0","id":1,"method":"listExperiments"}\n')
            process.stdin.flush()
        for process in asked:
            assert "result" in json.loads(process.stdout.readline())
        assert len(services(place)) == 1
    finally:
        for process in asked:
            process.stdin.close()
            process.wait(20)
            process.stdout.close()


def test_it_leaves_when_nobody_is_there_and_comes_again(executable, place):
    short = command(executable, place, "--idle-timeout", "0.3")
    pids = set()
    for _ in range(3):
        [answer] = pipe(short, {"id": 1, "method": "listExperiments"})
        assert "result" in answer
        [pid] = services(place)
        pids.add(pid)
        wait_until(lambda: not services(place))
        assert not list((place / "hone").glob("*.sock"))
    assert len(pids) == 3
    # Coming and going while it may be leaving, nobody is turned away.
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert "result" in pipe(short, {"id": 1, "method": "listExperiments"})[0]
        time.sleep(0.33)


def test_work_that_goes_on_alone_keeps_it(executable, place):
    rows(place / "one", 3)
    params = {
        "program": "question -> answer", "metric": "numeric_match", "lm": "simulated", "detach": True,
        "optimizer": {"name": "MIPROv2", "auto": "light"}, "trainset": {"name": "word-problems", "split": "train"},
        "valset": {"name": "word-problems", "split": "val"}}
    short = command(executable, place, "--idle-timeout", "0.2")
    [answer] = pipe(short, {"id": 1, "method": "compile", "params": params})
    assert answer["result"]["status"] == "RUNNING"
    wait_until(lambda: not services(place), 60)
    done = subprocess.run(
        [executable, "call", "getRun", json.dumps({"runId": answer["result"]["runId"]}), "--home", str(place / "home")],
        capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["run"]["status"] == "FINISHED"


def test_a_service_that_was_killed_is_replaced(executable, place):
    pipe(command(executable, place), {"id": 1, "method": "listExperiments"})
    [pid] = services(place)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not services(place))
    [answer] = pipe(command(executable, place), {"id": 1, "method": "listExperiments"})
    assert "result" in answer and services(place) != [pid]


def test_what_keeps_it_from_starting_is_told(executable, place):
    (place / "home").write_text("no directory")
    done = subprocess.run(command(executable, place), input='{"jsonrpc":"2.0","id":1,"method":"listRuns"}\n', capture_output=True, text=True, timeout=60)
    assert "storeUnavailable" in done.stdout
    (place / "hone").chmod(0o755)
    done = subprocess.run(command(executable, place), input="", capture_output=True, text=True, timeout=60)
    # Another directory of the user's own takes its place.
    assert done.returncode == 0, done.stderr
    assert list((place / "user" / ".local" / "state" / "hone").glob("*.sock"))


def test_an_editors_detached_compile_goes_on_when_the_editor_has_left(executable, place):
    home = [executable, "serve", "--home", str(place / "home")]
    rows(place / "one", 3)
    path = place / "one" / "p.hone.json"
    with socket.create_server(("127.0.0.1", 0)) as silence:
        lm = {"model": "openai/sim", "apiBase": f"http://127.0.0.1:{silence.getsockname()[1]}/v1"}
        path.write_text(json.dumps({
            **EVALUATE, "trainset": EVALUATE["devset"], "optimizer": "BootstrapFewShot", "lm": lm}))
        first = Editor(home, place)
        uri = first.open(path)
        estimate = first.execute("hone.estimate", uri)
        assert estimate["status"] == "ESTIMATED"
        assert estimate["lines"][0]["depth"] == 0 and "p.hone.json" in estimate["lines"][0]["text"]
        assert first.error("workspace/executeCommand", {"command": "hone.watch", "arguments": [uri]})["data"]["kind"] == "notFound"
        started = first.execute("hone.compile", {"uri": uri, "detach": True})
        assert started["status"] == "RUNNING" and len(services(place)) == 1
        first.close()

        second = Editor(home, place)
        watch = second.send("workspace/executeCommand", {
            "command": "hone.watch", "arguments": [{"uri": uri}], "workDoneToken": "w"})
        second.wait(lambda: len(second.progress("w")) > 1)
        second.notify("window/workDoneProgress/cancel", {"token": "w"})
        assert second.response(watch)["error"]["code"] == -32800
        [node] = second.execute("hone.runs", {"uri": uri, "onlyFile": True})["runs"]
        assert (node["runId"], node["status"]) == (started["runId"], "RUNNING")
        ended = second.execute("hone.cancel", {"run": started["runId"]})
        assert (ended["cancelled"], ended["runId"], ended["status"]) == (1, started["runId"], "CANCELLED")
        assert second.execute("hone.cancel", {"run": started["runId"]})["cancelled"] == 0
        second.close()
