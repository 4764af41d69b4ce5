"""Looking at something makes nothing: no store, no directory, no file."""

import json
import os
import subprocess

import pytest
import wire

RUN, TRACE = "0" * 32, "tr-" + "0" * 32
EVALUATE = {
    "program": "question -> answer", "metric": "numeric_match", "lm": "simulated",
    "devset": {"name": "word-problems", "split": "train", "limit": 3},
}


@pytest.fixture
def run(executable, tmp_path):
    """Runs the command in an empty directory, which has to stay empty."""
    folder = tmp_path / "wrong folder"
    folder.mkdir()

    def run(*arguments, makes=(), **options):
        done = subprocess.run([executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=60, **options)
        assert sorted(os.listdir(folder)) == sorted(makes)
        return done

    run.folder = folder
    return run


@pytest.mark.parametrize("arguments", [
    ["runs"], ["runs", "--json"], ["trace", RUN], ["trace", TRACE], ["watch", RUN], ["cancel", RUN], ["resume", RUN],
    ["gc", "--yes"], ["gc", "--dry-run"], ["export", "--all"],
])
@pytest.mark.parametrize("named", [False, True])
def test_a_command_that_looks_into_a_store_says_that_there_is_none(run, arguments, named):
    home = run.folder / ("other" if named else ".hone")
    done = run(*arguments, *(["--home", str(home)] if named else []))
    assert done.returncode == 2 and done.stdout == ""
    assert f"There is no store at {home} yet." in done.stderr
    assert "--home" in done.stderr.split("yet.")[1]


@pytest.mark.parametrize("arguments", [
    ["doctor"], ["optimizers"], ["metrics"], ["models"], ["completions", "bash"], ["call", "listRuns"],
    ["call", "rpc.discover"], ["compile", "--help"], ["---completion", "runs", "--", "0", "hone", "runs", ""],
])
def test_other_commands_make_none(run, arguments):
    run(*arguments)


def test_an_estimate_and_a_refused_request_make_none(run):
    compile = {**EVALUATE, "optimizer": "LabeledFewShot", "trainset": EVALUATE["devset"], "estimate": True}
    del compile["devset"]
    assert run("call", "compile", json.dumps(compile)).returncode == 0
    assert run("call", "evaluate", json.dumps({**EVALUATE, "metric": "nonsense"})).returncode == 2
    assert run("evaluate", "--program", RUN, "--devset", "word-problems:val", "--metric", "numeric_match", "--lm",
               "simulated").returncode == 2


def test_no_method_that_only_reads_makes_a_store_and_each_sees_the_one_that_another_process_makes(executable, run):
    with wire.Peer.started(executable, cwd=run.folder) as peer:
        methods = peer.call("rpc.discover", {})["methods"]
        reading = [method for method in methods if method.get("x-reading")]
        assert len(reading) > 12
        for method in reading:
            params = {param["name"]: param["value"] for example in method["examples"] for param in example["params"]}
            try:
                peer.call(method["name"], params)
            except wire.Refused as refused:
                assert refused.kind == "notFound", (method["name"], refused.error)
                assert f"There is no store at {run.folder}/.hone yet." in str(refused), method["name"]
        listing = peer.call("listRuns", {})
        assert listing["runs"] == [] and listing["home"] == f"{run.folder}/.hone"
        for name, params in [("updateRun", {"runId": RUN, "name": "x"}), ("deleteRun", {"runId": RUN}),
                             ("logFeedback", {"traceId": TRACE, "name": "n", "value": 1}), ("cancelRun", {"runId": RUN}),
                             ("resumeRun", {"runId": RUN}), ("collectGarbage", {})]:
            with pytest.raises(wire.Refused, match="There is no store at"):
                peer.call(name, params)
        assert os.listdir(run.folder) == []
        done = run("call", "evaluate", json.dumps(EVALUATE), makes=[".hone"])
        assert done.returncode == 0, done.stderr
        assert [each["status"] for each in peer.call("listRuns", {})["runs"]] == ["FINISHED"]
        with pytest.raises(wire.Refused) as refused:
            peer.call("getRun", {"runId": RUN})
        assert f"The store is {run.folder}/.hone." in refused.value.data["remedy"]


def test_the_page_and_mlflows_searches_make_none(executable, run):
    import urllib.request

    process = subprocess.Popen([executable, "ui", "--port", "0"], cwd=run.folder, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().split()[-1].rstrip("/")
        for path, body in [("/", None), ("/api/2.0/mlflow/experiments/search", {"max_results": 5}),
                           ("/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"]}),
                           ("/api/2.0/mlflow/experiments/get?experiment_id=0", None)]:
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"} if data else {})
            with urllib.request.urlopen(request, timeout=20) as reply:
                assert reply.status == 200
        assert os.listdir(run.folder) == []
        body = json.dumps({"experiment_id": "0"}).encode()
        request = urllib.request.Request(
            url + "/api/2.0/mlflow/runs/create", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as reply:
            assert json.load(reply)["run"]["info"]["experiment_id"] == "0"
        assert os.listdir(run.folder) == [".hone"]
    finally:
        process.terminate()
        process.wait(20)
