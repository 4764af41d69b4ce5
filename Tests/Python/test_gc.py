"""Deleted runs give their space back: on request, in steps, whoever works with the store and whenever the process ends."""

import json
import os
import random
import signal
import subprocess
import time

import pytest
import wire
from test_store import EVALUATE, check


@pytest.fixture
def deleted(executable, tmp_path):
    """A home with two runs of which one is deleted."""
    home = tmp_path / "home"
    with wire.Peer.started(executable, home) as peer:
        runs = [peer.call("evaluate", EVALUATE)["runId"] for _ in range(2)]
        peer.call("deleteRun", {"runId": runs[0]})
    return home, runs


def gc(executable, home, *arguments, **options):
    return subprocess.run(
        [executable, "gc", "--home", str(home), *arguments], capture_output=True, text=True, timeout=120, **options)


def test_it_says_what_goes_and_removes_it_when_told(executable, deleted):
    home, (gone, kept) = deleted
    before = check(home)
    refused = gc(executable, home, stdin=subprocess.DEVNULL)
    assert refused.returncode != 0 and "--yes" in refused.stderr
    plan = gc(executable, home, "--dry-run")
    assert plan.returncode == 0 and f"To be removed from {home}: 1 deleted run, 40 traces" in plan.stdout
    assert check(home) == before
    done = json.loads(gc(executable, home, "--yes", "--json").stdout)
    assert (done["runs"], done["traces"], done["dryRun"]) == (1, 40, False)
    assert check(home) == {"runs": 1, "traces": 40, "answers": before["answers"]}
    assert not (home / "artifacts" / "0" / gone).exists() and (home / "artifacts" / "0" / kept).exists()
    assert "Nothing to remove" in gc(executable, home, "--yes").stdout
    old = json.loads(gc(executable, home, "--yes", "--json", "--answers-older-than", "0").stdout)
    assert old["answers"] == before["answers"]
    with wire.Peer.started(executable, home) as peer:
        role = peer.call("getUsage", {"runId": kept})["byRole"][0]
        assert role["calls"] == 40
        assert len(peer.call("listTraces", {"runId": kept})["traces"]) == 40


def test_it_asks_at_a_terminal(executable, deleted):
    import pty

    home, _ = deleted
    for answer, left in [(b"n\n", 2), (b"y\n", 1)]:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [executable, "gc", "--home", str(home)], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.write(master, answer)
        output, questions = process.communicate(timeout=60)
        os.close(master), os.close(slave)
        assert b"[y/N]" in questions and b"1 deleted run" in questions
        assert check(home)["runs"] == left, output


def test_a_kill_at_any_moment_leaves_a_store_that_is_right(executable, tmp_path):
    home = tmp_path / "home"
    with wire.Peer.started(executable, home) as peer:
        kept = peer.call("evaluate", EVALUATE)["runId"]
    chance = random.Random(5)
    for _ in range(5):
        with wire.Peer.started(executable, home) as peer:
            for _ in range(3):
                peer.call("deleteRun", {"runId": peer.call("evaluate", EVALUATE)["runId"]})
        process = subprocess.Popen([executable, "gc", "--home", str(home), "--yes"], stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.01, 0.4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        check(home)
    assert gc(executable, home, "--yes").returncode == 0
    counts = check(home)
    assert (counts["runs"], counts["traces"]) == (1, 40)
    assert os.listdir(home / "artifacts" / "0") == [kept]


def test_a_service_goes_on_working_meanwhile_and_cancel_is_heard(executable, deleted):
    home, (_, kept) = deleted
    with wire.Peer.started(executable, home) as peer:
        for _ in range(4):
            peer.call("deleteRun", {"runId": peer.call("evaluate", EVALUATE)["runId"]})
        collecting = peer.ask("collectGarbage", {"workDoneToken": "gc"})
        assert peer.call("getRun", {"runId": kept})["run"]["status"] == "FINISHED"
        assert peer.call("evaluate", EVALUATE)["status"] == "FINISHED"
        assert collecting.result(60)["runs"] == 5
    counts = check(home)
    assert (counts["runs"], counts["traces"]) == (2, 80)
