"""A power cut: what was not brought to the disk is gone. Paid answers are, before they are used."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import wait_until
from test_faults import ROWS, faulty  # noqa: F401
from wire import Peer

CONCURRENCY = 8

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the cut is simulated with a preloaded library")


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "power_cut.so"
    compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("power_cut.c"), "-ldl"], check=True)
    return str(library)


def started(executable, shim, home, *options):
    socket = str(home) + ".s"
    for suffix in ("", "-wal"):
        # What an earlier process left is on the disk.
        file = home / f"hone.sqlite{suffix}"
        if file.exists():
            shutil.copy(file, f"{file}.synced")
    process = subprocess.Popen(
        [executable, "serve", "--socket", socket, "--home", home, *options], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "LD_PRELOAD": shim})
    assert b"Listening" in process.stderr.readline()
    return process, Peer.at(socket)


def cut(process, peer, home):
    """Ends the process and takes from its store what was not synchronized."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    peer.close()
    process.stderr.close()
    for suffix in ("", "-wal"):
        file = home / f"hone.sqlite{suffix}"
        synced = home / f"hone.sqlite{suffix}.synced"
        file.unlink(missing_ok=True)
        if synced.exists():
            synced.rename(file)
    (home / "hone.sqlite-shm").unlink(missing_ok=True)


def evaluation(base):
    return {
        "program": "question -> answer", "devset": ROWS * 3, "metric": "numeric_match", "concurrency": CONCURRENCY,
        "lm": {"model": "openai/adder", "apiBase": base, "hedge": False, "cache": False}}


def lost(executable, shim, faulty, home, calls, *options):  # noqa: F811
    """Cuts the power after so many answers; how many of them are gone, and the endpoint and the run."""
    base, statistics = faulty({}, seed=calls)
    process, peer = started(executable, shim, home, *options)
    peer.ask("evaluate", evaluation(base))
    wait_until(lambda: statistics()["calls"] >= calls)
    cut(process, peer, home)
    answered = statistics()["calls"]
    with sqlite3.connect(home / "hone.sqlite") as db:
        kept = db.execute("SELECT count(*) FROM answers").fetchone()[0]
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        runs = db.execute("SELECT id FROM runs").fetchall()
    return answered - kept, base, statistics, [run for run, in runs]


@pytest.mark.parametrize("calls", [1, 20, 70])
def test_a_power_cut_loses_no_more_than_what_was_under_way(executable, shim, faulty, tmp_path, calls):  # noqa: F811
    home = tmp_path / "home"
    gone, base, statistics, runs = lost(executable, shim, faulty, home, calls)
    assert gone <= CONCURRENCY
    before = statistics()["calls"]
    if before - gone == 0:
        return
    process, peer = started(executable, shim, home)
    result = peer.call("resumeRun", {"runId": runs[0]})
    assert (result["status"], result["count"], result["failed"]) == ("FINISHED", len(ROWS) * 3, 0)
    # What was kept was not asked for again.
    assert statistics()["calls"] == len(ROWS) * 3 + gone
    # An end that somebody was told of is kept, too.
    cut(process, peer, home)
    with sqlite3.connect(home / "hone.sqlite") as db:
        assert db.execute("SELECT status FROM runs WHERE id = ?", runs[:1]).fetchone() == ("FINISHED",)


def test_durability_process_leaves_the_disk_to_the_system(executable, shim, faulty, tmp_path):  # noqa: F811
    assert lost(executable, shim, faulty, tmp_path / "home", 70, "--durability", "process")[0] > CONCURRENCY


def test_a_new_store_is_whole_before_it_is_used(executable, shim, tmp_path):
    home = tmp_path / "home"
    process, peer = started(executable, shim, home)
    peer.call("predict", {"program": "question -> answer", "inputs": {"question": "?"}, "lm": "simulated"})
    cut(process, peer, home)
    with sqlite3.connect(home / "hone.sqlite") as db:
        assert db.execute("SELECT name FROM experiments").fetchall() == [("Default",)]
    report = subprocess.run([executable, "doctor", "--home", home], capture_output=True, text=True)
    assert "Sound" in report.stdout, report.stdout
