"""The service with an MLflow server as the place where runs live: what it brings there, what it fetches, what an outage does."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import urllib.request

import pytest
from conftest import wait_until

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="needs mlflow")

COMPILE = {
    "program": "question -> answer",
    "optimizer": {"name": "BootstrapFewShotWithRandomSearch", "num_candidate_programs": 2, "max_bootstrapped_demos": 2},
    "trainset": {"name": "word-problems", "split": "train", "limit": 10},
    "valset": {"name": "word-problems", "split": "val", "limit": 10},
    "metric": "numeric_match", "lm": "simulated", "experiment": "mirrored", "seed": 0}


class Server:
    """MLflow's own tracking server on SQLite."""

    def __init__(self, directory):
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        environment = {
            **os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1",
             "--backend-store-uri", f"sqlite:///{self.directory}/mlflow.db",
             "--artifacts-destination", str(self.directory / "artifacts")],
            cwd=self.directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(self.is_ready, 120)

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"{self.uri}/health", timeout=2).read() == b"OK"
        except OSError:
            return False

    def stop(self):
        if self.process:
            os.killpg(self.process.pid, 9)
            self.process.wait()
            self.process = None


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("mlflow"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def tracking(server, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri(server.uri)
    return mlflow.MlflowClient()


class Service:
    def __init__(self, executable, home, uri):
        self.process = subprocess.Popen(
            [executable, "serve", "--home", str(home), "--tracking-uri", uri],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def call(self, method, **params):
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert "result" in answer, answer
        return answer["result"]

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        return self.process.stderr.read().decode()


def test_a_search_is_read_by_mlflow_and_a_foreign_run_by_hone(executable, server, tracking, tmp_path):
    import mlflow

    service = Service(executable, tmp_path / "home", server.uri)
    made = service.call("compile", **COMPILE)
    service.stop()

    experiment = tracking.get_experiment_by_name("mirrored").experiment_id
    [parent] = tracking.search_runs([experiment], f"tags.`hone.runId` = '{made['runId']}'")
    assert parent.info.status == "FINISHED"
    assert parent.data.params["optimizer"] == "BootstrapFewShotWithRandomSearch"
    assert parent.data.metrics["score"] == made["score"]
    points = tracking.get_metric_history(parent.info.run_id, made["trials"][0]["kind"])
    assert [point.value for point in sorted(points, key=lambda point: point.step)] == [trial["score"] for trial in made["trials"]]
    children = tracking.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert len(children) == len(made["trials"])
    path = mlflow.artifacts.download_artifacts(f"{parent.info.artifact_uri}/best_model.json", dst_path=str(tmp_path))
    assert json.load(open(path))["predict"] == made["program"]["predict"]
    traces = mlflow.search_traces(locations=[experiment], run_id=children[0].info.run_id, return_type="list")
    assert len(traces) == 10
    trace = mlflow.get_trace(traces[0].info.trace_id)
    assert [span.name for span in trace.data.spans][:2] == ["ChainOfThought.forward", "Predict.forward"]
    assert [a.name for a in trace.info.assessments] == ["numeric_match"]

    # What somebody else logs there is seen here, by a service that never had it.
    with mlflow.start_run(experiment_id=experiment, run_name="elsewhere") as run:
        mlflow.log_param("colour", "blue")
        mlflow.log_metric("eval", 12.5, step=3)
        mlflow.log_dict({"a": 1}, "deep/note.json")
    service = Service(executable, tmp_path / "other", server.uri)
    listed = service.call("listRuns", experiment="mirrored", filter="params.colour = 'blue'")["runs"]
    assert [r["runId"] for r in listed] == [run.info.run_id]
    seen = service.call("getRun", runId=run.info.run_id)["run"]
    assert seen["metrics"]["eval"] == 12.5 and seen["name"] == "elsewhere"
    assert json.loads(service.call("getArtifact", runId=run.info.run_id, path="deep/note.json")["text"]) == {"a": 1}
    fetched = service.call("getTrace", traceId=traces[0].info.trace_id)
    assert [span["name"] for span in fetched["spans"]] == [span.name for span in trace.data.spans]
    # Two stores at one server: what the one counts from 1, the other does, too.
    service.call("evaluate", **{key: COMPILE[key] for key in ("program", "metric", "lm")}, devset=COMPILE["valset"],
                 experiment="beside")
    service.stop()
    beside = tracking.get_experiment_by_name("beside").experiment_id
    both = mlflow.search_traces(locations=[beside], return_type="list")
    assert len(both) == 10 and all(len(trace.info.assessments) == 1 for trace in both)
    # It was not brought back as a run of ours.
    assert len(tracking.search_runs([experiment], "params.colour = 'blue'")) == 1


def test_an_outage_of_the_server_loses_nothing(executable, server, tracking, tmp_path):
    server.stop()
    service = Service(executable, tmp_path / "home", server.uri)
    made = service.call("compile", **{**COMPILE, "experiment": "outage"})
    service.process.kill()
    service.process.wait()
    server.start()
    service = Service(executable, tmp_path / "home", server.uri)
    service.stop()
    experiment = tracking.get_experiment_by_name("outage").experiment_id
    [parent] = tracking.search_runs([experiment], f"tags.`hone.runId` = '{made['runId']}'")
    assert parent.info.status == "FINISHED"
    assert len(tracking.search_runs([experiment])) == 1 + len(made["trials"])
    import mlflow

    assert len(mlflow.search_traces(locations=[experiment], return_type="list")) >= 10 * len(made["trials"])
