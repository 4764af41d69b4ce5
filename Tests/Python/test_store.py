"""The store survives: killed processes, several at once, a full disk, a home that cannot be written to."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from tutorial import QUESTION

EVALUATE = {
    "program": "question -> answer", "metric": "numeric_match", "lm": {"model": "simulated", "cache": False},
    "devset": {"name": "word-problems", "split": "train", "limit": 40}, "concurrency": 8,
}


def check(home):
    """Opens the database as nobody of ours would, and asks what SQLite thinks of it."""
    with sqlite3.connect(home / "hone.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        # A trace is there whole or not at all, and so is what was logged in one call.
        hollow = "SELECT count(*) FROM traces t WHERE span_count > 0 AND NOT EXISTS " \
                 "(SELECT 1 FROM span_chunks WHERE id >= t.seq << 20 AND id < (t.seq + 1) << 20)"
        assert database.execute(hollow).fetchone() == (0,)
        stray = "SELECT count(*) FROM latest_metrics l WHERE NOT EXISTS " \
                "(SELECT 1 FROM metrics m WHERE m.run = l.run AND m.key = l.key AND m.step = l.step)"
        assert database.execute(stray).fetchone() == (0,)
        counts = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                  for table in ("runs", "traces", "answers")}
    for file in (home / "artifacts").rglob("*.json"):
        json.loads(file.read_bytes())
    return counts


def doctor(executable, home, *options):
    done = subprocess.run(
        [executable, "doctor", "--home", str(home), "--json", *options], capture_output=True, timeout=60)
    return done.returncode, json.loads(done.stdout)


def levels(result):
    return {finding["check"]: finding["level"] for finding in result["findings"] if not finding.get("repaired")}


def test_killed_at_any_moment_it_stays_readable_and_consistent(executable, tmp_path):
    home, chance = tmp_path / "home", random.Random(7)
    before = {"runs": 0, "traces": 0, "answers": 0}
    params = {**EVALUATE, "partialResultToken": "each"}
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "evaluate", "params": params})
    for attempt in range(8):
        process = subprocess.Popen(
            [executable, "serve", "--home", str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        process.stdin.write((request + "\n").encode())
        process.stdin.flush()
        # The first when it has answered; the others when so many examples are done, and a little later.
        if attempt == 0:
            while b'"result"' not in process.stdout.readline():
                pass
        else:
            for _ in range(chance.randrange(1, 40)):
                process.stdout.readline()
        time.sleep(chance.random() * 0.01)
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
        counts = check(home)
        assert all(counts[table] >= before[table] for table in counts), "what was committed is never lost"
        before = counts
    assert before["runs"] == 8 and before["answers"] >= 40
    # Files left by the killed are found; mended, the store is as it should be, and what is dead is said to be.
    doctor(executable, home, "--repair")
    status, result = doctor(executable, home)
    assert status == 0, result
    done = subprocess.run([executable, "runs", "--home", str(home), "--json"], capture_output=True, timeout=60)
    statuses = {run["status"] for run in json.loads(done.stdout)["runs"]}
    assert "RUNNING" not in statuses and "KILLED" in statuses


def test_two_services_and_the_command_line_share_one_store(executable, start, tmp_path):
    home = tmp_path / "home"
    clients = [start(home), start(home)]
    failures, results = [], []

    def work(ask):
        try:
            results.append(ask())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says so
            failures.append(error)

    def command():
        done = subprocess.run(
            [executable, "call", "evaluate", json.dumps(EVALUATE), "--home", str(home), "--json"], capture_output=True,
            timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    asks = [lambda c=client: c.call("evaluate", EVALUATE) for client in clients for _ in range(3)] + [command] * 2
    threads = [threading.Thread(target=work, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len({result["score"] for result in results}) == 1 and len(results) == 8
    assert not any(result.get("warnings") for result in results)
    assert check(home) == {"runs": 8, "traces": 320, "answers": 320}
    for client in clients:
        assert len(client.list_runs()["runs"]) == 8


def test_a_full_disk_fails_the_write_and_spares_the_rest(executable, tmp_path):
    import hone

    home = tmp_path / "home"

    # No file may grow beyond 2 MiB: what a full disk does, for one process.
    small = {**EVALUATE, "devset": {**EVALUATE["devset"], "limit": 5}}
    wrapper = tmp_path / "limited"
    wrapper.write_text(f'#!/bin/bash\nulimit -f 2048\nexec "{executable}" "$@"\n')
    wrapper.chmod(0o755)
    with hone.Client.start(home, executable=str(wrapper)) as client:
        first = client.call("evaluate", small)
        with pytest.raises(hone.HoneError) as caught:
            for _ in range(60):
                client.call("evaluate", EVALUATE)
        assert caught.value.kind == "storeUnavailable", caught.value
        assert "Free some space" in str(caught.value) or "disk" in str(caught.value)
        # Reading goes on.
        assert client.get_run(first["runId"])["run"]["status"] == "FINISHED"
        assert client.list_runs()["runs"]
    check(home)
    with hone.Client.start(home, executable=executable) as client:
        assert client.call("evaluate", small)["score"] == first["score"]


def unprivileged():
    """How to run a command as a user without rights; None where that cannot be done."""
    if os.geteuid() != 0:
        return []
    tool = subprocess.run(["sh", "-c", "command -v setpriv"], capture_output=True, text=True).stdout.strip()
    return [tool, "--reuid=65534", "--regid=65534", "--clear-groups"] if tool else None


@pytest.fixture
def plain_user(executable):
    prefix = unprivileged()
    if prefix is None:
        pytest.skip("as root, this needs setpriv")
    if prefix and subprocess.run([*prefix, "test", "-x", executable]).returncode != 0:
        pytest.skip("the program is not accessible to other users")
    return prefix


@pytest.fixture
def open_directory():
    """A directory that any user reaches, which pytest's own are not."""
    import shutil
    import tempfile
    from pathlib import Path

    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    subprocess.run(["chmod", "-R", "u+w", str(directory)])
    shutil.rmtree(directory)


def ask(prefix, executable, home, *requests):
    lines = [{"jsonrpc": "2.0", "id": number, "method": method, "params": params}
             for number, (method, params) in enumerate(requests)]
    done = subprocess.run(
        [*prefix, executable, "serve", "--home", str(home)], input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True, text=True, timeout=60, cwd="/")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [answer for _, answer in sorted((answer["id"], answer) for answer in answers)], done.stderr


@pytest.mark.parametrize("closed", ["directory", "file"])
def test_what_cannot_be_written_to_is_read_and_said_so(executable, plain_user, open_directory, closed):
    home = open_directory / "home"
    answers, _ = ask([], executable, home, ("evaluate", EVALUATE))
    run = answers[0]["result"]["runId"]
    subprocess.run(["chmod", "-R", "a+rX,a-w", str(home)] if closed == "directory" else
                   ["sh", "-c", f"chmod -R a+rwX {home} && chmod 444 {home}/hone.sqlite"], check=True)
    answers, log = ask(plain_user, executable, home, ("listRuns", {}), ("getRun", {"runId": run}),
                       ("evaluate", EVALUATE), ("listTraces", {"runId": run}))
    listed, got, refused, traces = answers
    assert [r["runId"] for r in listed["result"]["runs"]] == [run]
    assert got["result"]["run"]["status"] == "FINISHED" and len(traces["result"]["traces"]) == 40
    assert refused["error"]["data"]["kind"] == "storeUnavailable"
    assert "permission" in refused["error"]["message"].lower() or "written" in refused["error"]["message"]
    assert refused["error"]["data"]["remedy"]
    assert "reading only" in log
    done = subprocess.run(
        [*plain_user, executable, "doctor", "--home", str(home), "--json"], capture_output=True, timeout=60, cwd="/")
    assert done.returncode == 1
    found = [f for f in json.loads(done.stdout)["findings"] if f["level"] in ("warning", "error")]
    assert found and all(f["remedy"] for f in found)


def test_no_store_where_none_can_be_made(executable, plain_user, open_directory):
    answers, _ = ask(plain_user, executable, open_directory / "home", ("evaluate", EVALUATE), ("rpc.discover", {}))
    assert answers[0]["error"]["data"]["kind"] == "storeUnavailable" and "home" in answers[0]["error"]["message"]
    assert answers[1]["result"]["methods"], "what needs no store is served"


def test_a_newer_store_is_refused_by_name_and_left_alone(executable, client, tmp_path):
    import hone

    client.predict({"question": QUESTION}, program="question -> answer", lm="simulated")
    client.close()
    home = tmp_path / "home"
    with sqlite3.connect(home / "hone.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    content = (home / "hone.sqlite").read_bytes()
    with hone.Client.start(home, executable=executable) as newer, pytest.raises(hone.HoneError) as caught:
        newer.list_runs()
    assert caught.value.kind == "storeUnavailable" and "newer" in str(caught.value) and "99" in str(caught.value)
    assert (home / "hone.sqlite").read_bytes() == content
    status, result = doctor(executable, home)
    assert status == 1 and levels(result)["schema"] == "error"


def test_doctor_is_a_method_too_and_tells_no_key(executable, start, tmp_path):
    client = start(tmp_path / "home", env={"OPENAI_API_KEY": "sk-planted-0815-4711"})
    client.predict({"question": QUESTION}, program="question -> answer", lm="simulated")
    result = client.call("doctor", {"socket": str(tmp_path / "none")})
    assert result["healthy"] and levels(result)["database"] == "ok"
    models = next(f for f in result["findings"] if f["check"] == "models")
    assert "OPENAI_API_KEY" in models["details"]["set"] and "planted" not in json.dumps(result)


def test_doctor_finds_a_socket_live_and_left_over(executable, tmp_path):
    path = tmp_path / "s"
    process = subprocess.Popen(
        [executable, "serve", "--socket", str(path), "--home", str(tmp_path / "home")], stderr=subprocess.DEVNULL)
    try:
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.01)
        _, result = doctor(executable, tmp_path / "home", "--socket", str(path))
        socket = next(f for f in result["findings"] if f["check"] == "socket")
        assert str(process.pid) in socket["message"]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    _, result = doctor(executable, tmp_path / "home", "--socket", str(path), "--repair")
    assert next(f for f in result["findings"] if f["check"] == "socket")["repaired"] and not path.exists()


def test_traces_that_cannot_be_stored_are_told(executable, tmp_path):
    home = tmp_path / "home"

    def evaluate(rows):
        request = {**EVALUATE, "devset": {**EVALUATE["devset"], "limit": rows}}
        done = subprocess.run(
            [executable, "evaluate", "-", "--home", str(home), "--json"], input=json.dumps(request).encode(),
            capture_output=True, timeout=60)
        return json.loads(done.stdout)

    assert "warnings" not in evaluate(1) or not evaluate(1)["warnings"]
    with sqlite3.connect(home / "hone.sqlite") as database:
        database.execute("CREATE TRIGGER refuse BEFORE INSERT ON traces BEGIN SELECT RAISE(ABORT, 'no room'); END")
    result = evaluate(3)
    assert result["status"] == "FINISHED" and result["count"] == 3
    told = [warning for warning in result["warnings"] if warning.startswith("3 traces could not be stored: ")]
    assert len(told) == 1 and "no room" in told[0], result["warnings"]
