"""Killed at any moment and resumed, a run ends as if nothing had happened, and pays for nothing twice.

HONE_KILLS says how many kills there are in all (10 unless set; the long version is run with 200 and more).
"""

import os
import random
import signal
import sqlite3
import subprocess
import time

import pytest

from additions import OPTIMIZERS, ROWS, Endpoint, compile_params, outcome
from conftest import wait_until
from wire import Peer

KILLS = int(os.environ.get("HONE_KILLS", "10"))
CONCURRENCY = 8
SEARCHES = {"GEPA": {"name": "GEPA", "max_metric_calls": 160}, "Auto": {"name": "auto", "max_rules": 8}, **OPTIMIZERS}
CASES = [(name, cache) for name in SEARCHES for cache in (True, False)]


class Service:
    """`hone serve` on a socket, to be killed."""

    def __init__(self, executable, directory):
        self.path = str(directory / "s")
        self.home = directory / "home"
        self.executable = executable
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.executable, "serve", "--socket", self.path, "--home", str(self.home)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # The first line says that it listens.
        assert b"Listening" in self.process.stderr.readline()
        self.peer = Peer.at(self.path)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.peer.close()
        self.process.stderr.close()

    def database(self):
        return sqlite3.connect(self.home / "hone.sqlite")


def footprint(service, run):
    """What a run has left in the store, without ids and times: once each, however often it was done again."""
    with service.database() as db:
        def count(sql):
            return db.execute(sql, {"run": run}).fetchall()

        runs = "(SELECT seq FROM runs WHERE id = :run OR parent = :run)"
        ids = "(SELECT id FROM runs WHERE id = :run OR parent = :run)"
        return {
            "integrity": count("PRAGMA integrity_check"),
            "children": count("SELECT name, status FROM runs WHERE parent = :run ORDER BY name"),
            "metrics": count(
                f"SELECT r.name, m.key, m.step, m.value FROM metrics m JOIN runs r ON r.seq = m.run WHERE m.run IN {runs} "
                "AND r.parent IS NOT NULL ORDER BY 1, 2, 3"),
            "course": count(
                # What was paid when a trial ended depends on what else was under way, and the bill on what was at a kill:
                # there is one point of each, any.
                "SELECT key, step, iif(key IN ('trial_calls', 'trial_cost', 'calls', 'tokens'), 0, value) FROM metrics "
                "WHERE run = (SELECT seq FROM runs WHERE id = :run) ORDER BY 1, 2"),
            "params": count(
                f"SELECT r.name, p.key, p.value FROM params p JOIN runs r ON r.seq = p.run WHERE p.run IN {runs} "
                "AND r.parent IS NOT NULL AND p.key <> 'lm_params' ORDER BY 1, 2"),
            "results": count(
                f"SELECT r.name, x.row, x.score FROM results x JOIN runs r ON r.seq = x.run WHERE x.run IN {runs} ORDER BY 1, 2"),
            "traces": count(
                f"SELECT r.name, count(*) FROM traces t JOIN runs r ON r.id = t.run_id WHERE t.run_id IN {ids} "
                "AND r.parent IS NOT NULL GROUP BY 1 ORDER BY 1"),
            "own traces": count("SELECT metadata, count(*) FROM traces WHERE run_id = :run GROUP BY 1 ORDER BY 1"),
            "assessments": count(
                f"SELECT a.name, a.value, count(*) FROM assessments a JOIN traces t ON t.id = a.trace WHERE t.run_id IN {ids} "
                "GROUP BY 1, 2 ORDER BY 1, 2"),
            "answers": count("SELECT role, count(*), sum(input_tokens), sum(output_tokens) FROM answers WHERE run_id = :run GROUP BY role"),
        }


def differences(one, other):
    """Where two footprints differ, row by row."""
    return {key: (sorted(set(one[key]) - set(other[key]), key=str), sorted(set(other[key]) - set(one[key]), key=str))
            for key in one if one[key] != other[key]}


def without(usage, *names):
    return {key: value for key, value in usage.items() if key not in names}


@pytest.fixture(scope="module")
def endpoint():
    endpoint = Endpoint(delay=0.004)
    yield endpoint
    endpoint.close()


@pytest.fixture(scope="module")
def undisturbed(executable, endpoint, tmp_path_factory):
    """Each case once, with nobody disturbing it: the result, what it left in the store, the calls and seconds it took."""
    known = {}

    def run(name, cache):
        if (name, cache) not in known:
            service = Service(executable, tmp_path_factory.mktemp("k"))
            before = endpoint.calls
            began = time.monotonic()
            result = service.peer.call("compile", params(endpoint, name, cache))
            seconds = time.monotonic() - began
            known[name, cache] = (result, footprint(service, result["runId"]), endpoint.calls - before, seconds)
            service.kill()
        return known[name, cache]

    return run


def params(endpoint, name, cache, **more):
    return compile_params(
        endpoint, SEARCHES[name], lm={"cache": cache}, concurrency=CONCURRENCY, experiment="kill", **more)


def find_run(service):
    runs = service.peer.call("listRuns", {"filter": "tags.hone.kind = 'compile'"})["runs"]
    return runs[0] if runs else None


def test_killed_and_resumed(executable, endpoint, undisturbed, tmp_path_factory):
    draw = random.Random(int(os.environ.get("HONE_KILL_SEED", "1")))
    kills = lost_calls = cycles = 0
    phases = {}
    while kills < KILLS:
        name, cache = CASES[cycles % len(CASES)]
        cycles += 1
        expected, expected_footprint, expected_calls, seconds = undisturbed(name, cache)
        service = Service(executable, tmp_path_factory.mktemp("k"))
        before, lost, run, begun = endpoint.calls, 0, None, kills
        for _ in range(draw.randint(1, 4)):
            if run is None:
                service.peer.ask("compile", params(endpoint, name, cache, detach=True))
            else:
                service.peer.ask("resumeRun", {"runId": run, "detach": True})
            time.sleep(draw.uniform(0, seconds * (1 if run is None else 0.7)))
            service.kill()
            kills += 1
            service.start()
            found = find_run(service)
            phases[found and found["tags"]["hone.status"]] = phases.get(found and found["tags"]["hone.status"], 0) + 1
            if found is None:
                continue
            run = found["runId"]
            if found["status"] == "FINISHED":
                break
            # A run that died says so, and how it goes on.
            assert found["status"] == "KILLED" and found["tags"]["hone.status"] == "INTERRUPTED"
            assert run in found["resumeCommand"]
            with service.database() as db:
                answers = db.execute("SELECT count(*) FROM answers").fetchone()[0]
            assert endpoint.calls - before - answers - lost <= CONCURRENCY, "more calls were lost than were under way"
            lost = endpoint.calls - before - answers
        if run is None:
            result = service.peer.call("compile", params(endpoint, name, cache))
            run = result["runId"]
        else:
            result = service.peer.call("resumeRun", {"runId": run, "concurrency": draw.choice([1, 8, 64])})
        assert outcome(result) == outcome(expected), f"{name}, cache {cache}, cycle {cycles}"
        assert differences(footprint(service, run), expected_footprint) == {}, f"{name}, cache {cache}, cycle {cycles}"
        assert endpoint.calls - before == expected_calls + lost, "a call that was answered was made again"
        # Calls under way at a kill are on the bill, apart from what the endpoint counted.
        usage, usual = result["usage"], expected["usage"]
        under_way = usage.get("estimated", {"requests": 0, "tokens": 0})
        assert lost <= under_way["requests"] == usage["failed"] <= (kills - begun) * CONCURRENCY
        assert usage["calls"] - under_way["requests"] == usual["calls"]
        assert usage["totalTokens"] - under_way["tokens"] == usual["totalTokens"]
        changing = ("byRole", "calls", "failed", "inputTokens", "outputTokens", "totalTokens", "cost", "counted", "estimated")
        assert without(usage, *changing) == without(usual, *changing)
        # Resumed once more, it only gives its result.
        assert service.peer.call("resumeRun", {"runId": run}) == result
        assert endpoint.calls - before == expected_calls + lost
        lost_calls += lost
        service.kill()
    print(f"{kills} kills in {cycles} runs; {lost_calls} calls were under way at a kill; found after kills: {phases}")


def test_killed_evaluation(executable, endpoint, tmp_path):
    evaluation = {
        "program": "question -> answer", "devset": ROWS * 4, "metric": "numeric_match", "concurrency": CONCURRENCY,
        "lm": endpoint.lm(cache=False)}
    service = Service(executable, tmp_path)
    expected = service.peer.call("evaluate", evaluation)
    before = endpoint.calls
    with endpoint.holding(after=60):
        run = service.peer.call("evaluate", {**evaluation, "detach": True})["runId"]
        wait_until(lambda: endpoint.stats["held"])
        service.kill()
    service.start()
    assert service.peer.call("watchRun", {"runId": run})["status"] == "INTERRUPTED"
    result = service.peer.call("resumeRun", {"runId": run})
    strip = lambda r: [{k: v for k, v in row.items() if k != "traceId"} for row in r["results"]]
    assert strip(result) == strip(expected) and result["score"] == expected["score"]
    assert endpoint.calls - before <= len(ROWS) * 4 + CONCURRENCY
    assert len(service.peer.call("listTraces", {"runId": run, "maxResults": 1000})["traces"]) == len(ROWS) * 4
    service.kill()


def test_concurrency_and_faults_change_nothing_across_a_resume(executable, endpoint, undisturbed, tmp_path):
    """Faults that are retried away, another concurrency after a kill: the same search."""
    expected, _, _, _ = undisturbed("MIPROv2", False)
    faulty = Endpoint(**{"429": 0.1, "500": 0.1, "garbage": 0.1, "seed": 5})
    service = Service(executable, tmp_path)
    with faulty.holding(after=60):
        run = service.peer.call(
            "compile", compile_params(faulty, lm={"cache": False}, concurrency=1, detach=True))["runId"]
        wait_until(lambda: faulty.stats["held"])
        service.kill()
    service.start()
    result = service.peer.call("resumeRun", {"runId": run, "concurrency": 64})
    assert outcome(result) == outcome(expected)
    service.kill()
    faulty.close()
