"""A disk that is really full: a small one of the test's own, mounted where only the test's processes see it."""

import json
import os
import random
import shutil
import subprocess

import pytest

from additions import MIPRO, ROWS, Endpoint, compile_params, outcome
from test_store import check, levels
from wire import Peer, Refused

chance = random.Random(5)
# Text that nothing compresses, so that the disk fills with the run and not long after it.
PADDED = [{**row, "question": f"{chance.randbytes(2_000).hex()} {row['question']}"} for row in ROWS]


class SmallDisk:
    """A file system of so many bytes, within a mount namespace that a sleeping process holds open."""

    def __init__(self, executable, directory, size):
        if not shutil.which("unshare") or not shutil.which("nsenter"):
            pytest.skip("this needs Linux's unshare and nsenter")
        self.executable, self.home = executable, directory / "disk" / "home"
        mount = self.home.parent
        mount.mkdir()
        script = f'mount -t tmpfs -o size={size} tmpfs "$1" && echo mounted && exec sleep 3600'
        self.holder = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", script, "sh", str(mount)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True)
        if self.holder.stdout.readline() != "mounted\n":
            reason = self.holder.communicate()[1]
            pytest.skip(f"no file system can be mounted here: {reason.strip()}")
        # The same directory as it is seen from outside.
        self.seen = f"/proc/{self.holder.pid}/root{mount}"

    @property
    def inside(self):
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", self.executable]

    def run(self, *arguments):
        return subprocess.run(
            [*self.inside, *arguments, "--home", str(self.home)], capture_output=True, text=True, timeout=120)

    def serve(self):
        process = subprocess.Popen(
            [*self.inside, "serve", "--home", str(self.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        peer = Peer(process.stdout, process.stdin)
        peer.end = lambda: (process.stdin.close(), process.wait(timeout=60))
        return peer

    def fill(self, leaving):
        status = os.statvfs(self.seen)
        with open(f"{self.seen}/filler", "wb") as file:
            file.write(bytes(status.f_bavail * status.f_frsize - leaving))

    def free(self):
        os.unlink(f"{self.seen}/filler")

    def check(self, directory):
        """Looks at a copy, for nothing of what is on the disk can be opened by its path out here."""
        copy = directory / f"copy-{len(os.listdir(directory))}"
        shutil.copytree(f"{self.seen}/home", copy, ignore=shutil.ignore_patterns("*-shm"))
        check(copy)

    def close(self):
        self.holder.kill()
        self.holder.communicate()


@pytest.fixture
def disk(executable, tmp_path):
    disks = []

    def make(size="64m"):
        disks.append(SmallDisk(executable, tmp_path, size))
        return disks[-1]

    yield make
    for made in disks:
        made.close()


@pytest.fixture
def endpoint():
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


def full(error):
    assert error["kind"] == "storeUnavailable"
    assert "disk" in error["message"] or "No space" in error["message"]
    assert "Free some space" in error["remedy"]


def request(method, endpoint):
    lm = endpoint.lm(cache=False)
    if method == "compile":
        return {**compile_params(endpoint, MIPRO), "trainset": PADDED[:16], "valset": PADDED[16:36], "lm": lm}
    rows = [{**row, "question": f"({n}) {row['question']}"} for n, row in enumerate(PADDED * 3)]
    return {"program": "question -> answer", "devset": rows, "metric": "numeric_match", "lm": lm, "concurrency": 8}


@pytest.mark.parametrize("method, room", [("evaluate", 2_500_000), ("compile", 1_500_000)])
def test_a_run_that_fills_the_disk_pauses_and_goes_on_when_there_is_room(disk, endpoint, tmp_path, method, room):
    disk, params = disk(), request(method, endpoint)
    peer = disk.serve()
    expected = peer.call(method, params)
    undisturbed = endpoint.calls
    # Ended and begun again: what the log has grown to is room, too.
    peer.close()
    disk.fill(leaving=room)
    peer = disk.serve()
    result = peer.call(method, params)
    paid = endpoint.calls - undisturbed
    assert result["status"] == "PAUSED" and result["runId"] in result["resumeCommand"]
    full(result["error"])
    assert 0 < paid < undisturbed
    # What was there is read; a new run is refused before it asks anything, here and on the command line.
    run = result["runId"]
    shown = peer.call("getRun", {"runId": run})["run"]
    assert shown["status"] != "FINISHED" and run in shown["resumeCommand"]
    assert peer.call("getRun", {"runId": expected["runId"]})["run"]["status"] == "FINISHED"
    for again in (("resumeRun", {"runId": run}), (method, params)):
        with pytest.raises(Refused) as refused:
            peer.call(*again)
        full({"kind": refused.value.kind, "message": str(refused.value), "remedy": refused.value.data["remedy"]})
    assert endpoint.calls == undisturbed + paid
    doctor = disk.run("doctor", "--json")
    findings = json.loads(doctor.stdout)
    assert doctor.returncode == 1 and levels(findings)["disk"] == "error" and levels(findings)["database"] == "ok"
    disk.check(tmp_path)
    # With room again, the same service goes on; what was under way when the disk filled up may be asked again, no more.
    disk.free()
    resumed = peer.call("resumeRun", {"runId": run})
    assert resumed["status"] == "FINISHED" and "warnings" not in resumed
    if method == "compile":
        assert outcome(resumed) == outcome(expected)
    else:
        assert (resumed["score"], resumed["results"]) == (expected["score"], [
            {**row, "traceId": ours["traceId"]} for row, ours in zip(expected["results"], resumed["results"])])
    print(f"{paid} calls paid on the full disk, {endpoint.calls - 2 * undisturbed} of them twice")
    assert endpoint.calls - undisturbed <= undisturbed + params.get("concurrency", 8)
    peer.close()
    disk.check(tmp_path)


def test_a_disk_without_room_for_a_store(disk, executable):
    disk = disk("3m")
    disk.fill(leaving=0)
    done = disk.run("evaluate", "--program", "question -> answer", "--devset", "word-problems:test", "--metric",
                    "numeric_match", "--lm", "simulated")
    assert done.returncode == 1 and done.stdout == ""
    assert "Free some space" in done.stderr, done.stderr
    disk.free()
    done = disk.run("evaluate", "--program", "question -> answer", "--devset", "word-problems:test", "--metric",
                    "numeric_match", "--lm", "simulated", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["status"] == "FINISHED", done.stderr
