"""Ctrl-C as a person types it, at a terminal: what is under way ends at once, tells what it has, and can go on."""

import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess

import pytest

from additions import ROWS, Endpoint, compile_params, outcome
from conftest import wait_until
from test_kill import Service


class Terminal:
    """A command with a terminal of its own."""

    def __init__(self, *command):
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.execv(command[0], list(map(str, command)))
        self.shown, self.status = "", None

    def read(self, seconds=0.05):
        if self.status is not None or not select.select([self.end], [], [], seconds)[0]:
            return
        try:
            self.shown += os.read(self.end, 1 << 16).decode(errors="replace")
        except OSError:  # the command has closed it, and ends
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def interrupt(self):
        os.write(self.end, b"\x03")

    def shows(self, words):
        self.read()
        return words in self.shown

    def ended(self):
        self.read()
        return self.status is not None

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.end)

    @property
    def lines(self):
        """What a person sees in the end: text that was drawn over is gone."""
        return [re.split(r"\r", line.rstrip("\r"))[-1].strip() for line in self.shown.split("\n")]


@pytest.fixture
def terminal(executable):
    open_ones = []

    def start(*arguments):
        open_ones.append(Terminal(executable, *arguments))
        return open_ones[-1]

    yield start
    for one in open_ones:
        one.close()


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def service(executable, tmp_path):
    service = Service(executable, tmp_path)
    yield service
    service.kill()


@pytest.fixture
def place(request, tmp_path):
    """Where a command does its work: the options that say so, and the home."""
    if request.param == "here":
        return ["--home", tmp_path / "home"], tmp_path / "home"
    service = request.getfixturevalue("service")
    return ["--socket", service.path], service.home


def file(tmp_path, params):
    path = tmp_path / "request.json"
    path.write_text(json.dumps(params))
    return path


def evaluation(endpoint):
    return {"program": "question -> answer", "devset": ROWS, "metric": "numeric_match", "lm": endpoint.lm(cache=False)}


def resumed(executable, shown, options):
    run = re.search(r"hone resume ([0-9a-f]{32})", shown)[1]
    done = subprocess.run(
        [executable, "resume", run, "--json", *options], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("place", ["here", "socket"], indirect=True)
@pytest.mark.parametrize("method", ["compile", "evaluate"])
def test_the_first_tells_what_there_is(executable, terminal, endpoint, tmp_path, place, method):
    options, _ = place
    params = compile_params(endpoint, lm={"cache": False}) if method == "compile" else evaluation(endpoint)
    asked = terminal(method, file(tmp_path, params), *options)
    with endpoint.holding(after=60 if method == "compile" else 20):
        wait_until(lambda: (asked.read(), endpoint.stats["held"])[1])
        asked.interrupt()
        wait_until(asked.ended)
        # The requests themselves were ended, before the endpoint would have answered.
        wait_until(lambda: endpoint.stats["open"] == 0)
    assert asked.status == 130
    assert "hone: stopping (Ctrl-C again ends at once)" in asked.lines
    told = [line for line in asked.lines if line.startswith(("trial", "score"))]
    assert told and "CANCELLED: The run was cancelled." in asked.lines, asked.shown
    paid = int(re.search(r"(\d+) calls, \d+ answered", asked.shown)[1])
    # One that was aborted on its way may not have come to be counted there.
    assert endpoint.calls <= paid <= endpoint.calls + 8
    result = resumed(executable, asked.shown, options)
    assert result["status"] == "FINISHED" and result["usage"]["calls"] >= paid


@pytest.mark.parametrize("place", ["here", "socket"], indirect=True)
def test_a_prediction_just_ends(terminal, endpoint, place):
    options, _ = place
    asked = terminal("predict", "--program", "question -> answer", "--lm", json.dumps(endpoint.lm()), *options,
                     "question=What is 3 plus 4?")
    with endpoint.holding(after=0):
        wait_until(lambda: (asked.read(), endpoint.stats["held"])[1])
        asked.interrupt()
        wait_until(asked.ended)
        wait_until(lambda: endpoint.stats["open"] == 0)
    assert asked.status == 130 and "cancelled" in asked.shown


@pytest.mark.parametrize("whose", ["home", "socket"])
def test_whoever_only_watches_leaves_and_the_run_goes_on(terminal, endpoint, service, whose):
    with endpoint.holding(after=20):
        run = service.peer.call("compile", compile_params(endpoint, detach=True))["runId"]
        wait_until(lambda: endpoint.stats["held"])
        watching = terminal("watch", run, f"--{whose}", service.home if whose == "home" else service.path)
        wait_until(lambda: watching.shows("calls"))
        watching.interrupt()
        wait_until(watching.ended)
        assert watching.status == 130
        assert service.peer.call("getRun", {"runId": run})["run"]["status"] == "RUNNING"
    assert service.peer.call("watchRun", {"runId": run})["status"] == "FINISHED"


def test_the_second_ends_at_once_what_cannot_stop(executable, terminal, endpoint, tmp_path):
    """The store is locked by somebody else, so that the end of the run cannot be written."""
    home = tmp_path / "home"
    params = compile_params(endpoint, lm={"cache": False})
    undisturbed = subprocess.run(
        [executable, "compile", file(tmp_path, params), "--json", "--home", tmp_path / "other"], capture_output=True)
    before = endpoint.calls
    asked = terminal("compile", file(tmp_path, params), "--home", home)
    with endpoint.holding(after=60):
        wait_until(lambda: (asked.read(), endpoint.stats["held"])[1])
        database = sqlite3.connect(home / "hone.sqlite", isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        asked.interrupt()
        wait_until(lambda: asked.shows("Ctrl-C again ends"))
        asked.interrupt()
        wait_until(asked.ended)
        database.execute("ROLLBACK")
        database.close()
    assert asked.status == 130 and "CANCELLED" not in asked.shown
    # The next command on the store finds the run as one that was cut off.
    listed = subprocess.run([executable, "runs", "--json", "--home", home], capture_output=True, text=True, timeout=60)
    run = next(run for run in json.loads(listed.stdout)["runs"] if "parentRunId" not in run)
    result = resumed(executable, run["resumeCommand"], ["--home", home])
    assert outcome(result) == outcome(json.loads(undisturbed.stdout))
    assert endpoint.calls - before <= before + 8, "only what was under way is asked for again"


def test_the_second_leaves_a_service_that_does_not_answer(executable, terminal, endpoint, service, tmp_path):
    asked = terminal("compile", file(tmp_path, compile_params(endpoint)), "--socket", service.path)
    with endpoint.holding(after=60):
        wait_until(lambda: asked.shows("calls") and endpoint.stats["held"])
        run = service.peer.call("listRuns", {"filter": "tags.hone.kind = 'compile'"})["runs"][0]["runId"]
        service.process.send_signal(signal.SIGSTOP)
        try:
            asked.interrupt()
            wait_until(lambda: asked.shows("Ctrl-C again ends"))
            asked.interrupt()
            wait_until(asked.ended)
        finally:
            service.process.send_signal(signal.SIGCONT)
        assert asked.status == 130
        wait_until(lambda: service.peer.call("getRun", {"runId": run})["run"]["status"] == "KILLED")
    assert service.peer.call("resumeRun", {"runId": run})["status"] == "FINISHED"
