"""MLflow's Python client and DSPy's autologging against Hone, and Hone's runs read with them."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arithmetic import serve
from tutorial import compile_small
from web import ask, serving

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# A failure should show, and not be tried again for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")

mlflow = pytest.importorskip("mlflow")
from mlflow.entities import (  # noqa: E402
    AssessmentSource, Dataset, DatasetInput, Expectation, Feedback, InputTag, Metric, Param, RunTag, ViewType)
from mlflow.exceptions import MlflowException  # noqa: E402


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("mlflow") / "home"


@pytest.fixture(scope="module")
def url(executable, home):
    with serving(executable, home) as url:
        yield url


@pytest.fixture(scope="module")
def mlflow_client(url):
    mlflow.set_tracking_uri(url)
    yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(None)


@pytest.fixture
def experiment(mlflow_client, request):
    return mlflow_client.create_experiment(request.node.name, tags={"team": "x"})


# The tutorial


@pytest.fixture(scope="module")
def tutorial(url, tmp_path_factory):
    server, base = serve()
    try:
        environment = {
            **os.environ, "DSPY_CACHEDIR": str(tmp_path_factory.mktemp("cache")), "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        process = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("mlflow_tutorial.py")), url, base], capture_output=True,
            text=True, timeout=300, env=environment)
    finally:
        server.shutdown()
    lines = [line for line in process.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, process.stdout[-2000:] + process.stderr[-4000:]
    return json.loads(lines[0].removeprefix("RESULT "))


def test_the_tutorial_runs_unchanged(tutorial):
    assert tutorial["status"] == "FINISHED"
    names = sorted(name for name, _ in tutorial["children"].values())
    assert names == ["eval_full_0", "eval_full_1", *(f"eval_minibatch_{number}" for number in range(4))]
    assert [step for step, _ in tutorial["history"]] == [0, 1]
    assert max(value for _, value in tutorial["history"]) > tutorial["history"][0][1]
    assert tutorial["params"]["num_trials"] == "4"
    assert {"best_model.json", "trainset.json", "valset.json"} <= set(tutorial["artifacts"])
    assert tutorial["rows"] in (8, 20)
    assert tutorial["instructions"][0] == tutorial["instructions"][1]
    assert tutorial["demos"][0] == tutorial["demos"][1]
    assert tutorial["answer"] == "18"


def test_every_score_of_the_tutorial_is_kept(tutorial):
    # Two evaluations of twenty rows and four of eight; bootstrapping makes traces of its own without a score.
    assert tutorial["ofChildren"] == tutorial["scored"] == 2 * 20 + 4 * 8
    assert tutorial["traces"] > tutorial["scored"]


def test_a_trace_of_the_tutorial_is_whole(tutorial):
    assert [(name, kind) for name, kind, _, _ in tutorial["spans"]] == [
        ("ChainOfThought.forward", "CHAIN"), ("Predict.forward", "LLM"), ("ChatAdapter.format", "PARSER"),
        ("LM.__call__", "CHAT_MODEL"), ("ChatAdapter.parse", "PARSER")]
    root, model = tutorial["spans"][0], tutorial["spans"][3]
    assert root[2].keys() == {"question"} and root[3].keys() == {"reasoning", "answer"}
    assert json.loads(tutorial["preview"]) == root[2]
    assert model[2]["messages"][0]["role"] == "system" and "[[ ## answer ## ]]" in model[3][0]
    assert tutorial["usage"] == {"input_tokens": 20, "output_tokens": 5, "total_tokens": 25}


def test_what_the_tutorial_logged_shows_in_hone(tutorial, start, home):
    client = start(home)
    runs = client.list_runs("DSPy-Optimization")["runs"]
    assert {run["runId"] for run in runs} == {tutorial["parent"], *tutorial["children"]}
    assert {run.get("parentRunId") for run in runs} == {None, tutorial["parent"]}
    trace = client.get_trace(tutorial["trace"])
    assert [span["name"] for span in trace["spans"]] == [name for name, *_ in tutorial["spans"]]
    assert [span["inputs"] for span in trace["spans"]] == [inputs for _, _, inputs, _ in tutorial["spans"]]
    assert trace["info"]["usage"]["totalTokens"] == 25
    assert trace["info"]["runId"] in tutorial["children"]
    assert [assessment["name"] for assessment in trace["info"]["assessments"]] == ["exact"]
    found = client.list_traces(filter="feedback.exact = 'true' AND span.name = 'LM.__call__'", max_results=1000)
    assert 0 < len(found["traces"]) <= tutorial["scored"]
    loaded = client.load_program(run=tutorial["parent"], signature="question -> answer", module="ChainOfThought")
    assert loaded["predictors"][0]["instructions"] == tutorial["instructions"][0]


# Hone's own runs, read with MLflow's client


@pytest.fixture(scope="module")
def compiled(executable, home, url):
    import hone

    with hone.Client.start(home, executable=executable) as client:
        yield compile_small(client, experiment="Own runs", run_name="own"), client


def test_mlflow_reads_a_run_of_hone(compiled, mlflow_client):
    result, _ = compiled
    run = mlflow.get_run(result["runId"])
    assert (run.info.run_name, run.info.status) == ("own", "FINISHED")
    children = mlflow.search_runs(
        experiment_names=["Own runs"], filter_string=f"tags.mlflow.parentRunId = '{run.info.run_id}'",
        order_by=["metrics.eval DESC"], output_format="list")
    assert {child.info.run_id for child in children} == {trial["runId"] for trial in result["trials"]}
    scores = [child.data.metrics["eval"] for child in children]
    assert scores == sorted(scores, reverse=True)
    points = mlflow_client.get_metric_history(run.info.run_id, "eval_minibatch")
    assert sorted(point.step for point in points) == list(range(len(points))) and points
    assert run.inputs.dataset_inputs
    frame = mlflow.search_runs(experiment_names=["Own runs"])
    assert len(frame) == len(children) + 1


def test_mlflow_reads_traces_of_hone(compiled, mlflow_client):
    result, client = compiled
    best = result["bestRunId"]
    traces = mlflow.search_traces(
        locations=[result["experimentId"]], filter_string=f"attributes.run_id = '{best}'", return_type="list")
    expected = client.list_traces(run_id=best, max_results=1000)["traces"]
    assert {trace.info.trace_id for trace in traces} == {trace["traceId"] for trace in expected}
    trace = mlflow.get_trace(traces[0].info.trace_id)
    own = client.get_trace(trace.info.trace_id)
    assert [span.name for span in trace.data.spans] == [span["name"] for span in own["spans"]]
    assert [span.outputs for span in trace.data.spans] == [span["outputs"] for span in own["spans"]]
    assert [span.start_time_ns for span in trace.data.spans] == [span["startTimeNs"] for span in own["spans"]]
    assert trace.info.assessments[0].name == own["info"]["assessments"][0]["name"]
    assert trace.info.token_usage["total_tokens"] == own["info"]["usage"]["totalTokens"]


def test_dspy_loads_the_best_program_that_mlflow_downloads(compiled, mlflow_client):
    dspy = pytest.importorskip("dspy")
    result, _ = compiled
    path = mlflow.artifacts.download_artifacts(result["artifactUri"])
    program = dspy.ChainOfThought("question -> answer")
    program.load(path)
    state = result["program"]["predict"]
    assert program.predict.signature.instructions == state["signature"]["instructions"]
    assert len(program.predict.demos) == len(state["demos"])
    mlflow.set_experiment("Own runs")
    table = mlflow.load_table("result_table.json", run_ids=[result["bestRunId"]])
    assert len(table) == 20


# Experiments and runs


def test_experiments(mlflow_client, experiment):
    client = mlflow_client
    found = client.get_experiment(experiment)
    assert found.tags == {"team": "x"} and found.artifact_location == f"mlflow-artifacts:/{experiment}"
    with pytest.raises(MlflowException, match="already exists") as taken:
        client.create_experiment(found.name)
    assert taken.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.rename_experiment(experiment, "renamed")
    client.set_experiment_tag(experiment, "k", "v")
    assert [e.name for e in client.search_experiments(filter_string="tags.k = 'v'")] == ["renamed"]
    assert client.get_experiment_by_name("no such thing") is None
    client.delete_experiment_tag(experiment, "k")
    client.delete_experiment(experiment)
    assert experiment not in {e.experiment_id for e in client.search_experiments()}
    assert experiment in {e.experiment_id for e in client.search_experiments(view_type=ViewType.DELETED_ONLY)}
    client.restore_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "active"
    assert client.get_experiment("0").name == "Default"


def test_a_run_from_start_to_end(mlflow_client, experiment):
    with mlflow.start_run(experiment_id=experiment, description="what it is") as run:
        mlflow.log_params({"lr": 0.1, "optimizer": "MIPROv2"})
        mlflow.log_metrics({"loss": 0.5, "accuracy": 0.25}, step=1)
        mlflow.log_metric("loss", 0.25, step=2)
        mlflow.set_tag("stage", "first")
        with mlflow.start_run(nested=True, run_name="child") as child:
            mlflow.log_metric("loss", 1)
        mlflow.log_dict({"a": 1}, "notes/config.json")
    read = mlflow_client.get_run(run.info.run_id)
    assert read.info.status == "FINISHED" and read.info.end_time >= read.info.start_time
    assert read.info.run_name and read.data.tags["mlflow.runName"] == read.info.run_name
    assert read.data.params == {"lr": "0.1", "optimizer": "MIPROv2"}
    assert read.data.metrics == {"loss": 0.25, "accuracy": 0.25}
    assert read.data.tags["mlflow.note.content"] == "what it is"
    assert mlflow_client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run.info.run_id
    assert [(p.step, p.value) for p in mlflow_client.get_metric_history(run.info.run_id, "loss")] == [(1, 0.5), (2, 0.25)]
    assert mlflow_client.get_metric_history(run.info.run_id, "unknown") == []
    mlflow_client.delete_tag(run.info.run_id, "stage")
    mlflow_client.update_run(run.info.run_id, name="other")
    assert mlflow_client.get_run(run.info.run_id).data.tags["mlflow.runName"] == "other"
    mlflow_client.delete_run(run.info.run_id)
    assert mlflow_client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    mlflow_client.restore_run(run.info.run_id)
    assert mlflow_client.search_runs([experiment], "params.lr = '0.1'")[0].info.run_id == run.info.run_id


def test_a_parameter_is_written_once(mlflow_client, experiment):
    run = mlflow_client.create_run(experiment).info.run_id
    mlflow_client.log_param(run, "p", "1")
    mlflow_client.log_param(run, "p", "1")
    with pytest.raises(MlflowException) as refusal:
        mlflow_client.log_param(run, "p", "2")
    assert refusal.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(MlflowException):
        mlflow_client.log_batch(run, params=[Param("q", "1"), Param("p", "3")])
    assert mlflow_client.get_run(run).data.params == {"p": "1"}


def test_batches_and_numbers_that_json_has_no_word_for(mlflow_client, experiment):
    run = mlflow_client.create_run(experiment).info.run_id
    points = [Metric("m", index / 8, 1_700_000_000_000 + index, index) for index in range(1000)]
    mlflow_client.log_batch(run, metrics=points)
    assert mlflow_client.get_run(run).data.metrics["m"] == 999 / 8
    assert [p.value for p in mlflow_client.get_metric_history(run, "m")] == [p.value for p in points]
    for name, value in (("nan", math.nan), ("up", math.inf), ("down", -math.inf)):
        mlflow_client.log_metric(run, name, value)
    metrics = mlflow_client.get_run(run).data.metrics
    assert math.isnan(metrics["nan"]) and metrics["up"] == math.inf and metrics["down"] == -math.inf
    mlflow_client.log_batch(run, params=[Param(f"p{n}", str(n)) for n in range(100)], tags=[RunTag("t", "v" * 9000)])
    assert mlflow_client.get_run(run).data.tags["t"] == "v" * 9000


def test_searching_runs(mlflow_client, experiment):
    for number in range(7):
        run = mlflow_client.create_run(experiment, run_name=f"r{number}", tags={"even": str(number % 2 == 0)}).info.run_id
        if number != 3:
            mlflow_client.log_metric(run, "score", number * 10)

    def names(filter="", **options):
        return [run.info.run_name for run in mlflow_client.search_runs([experiment], filter, **options)]

    assert names(order_by=["metrics.score DESC"]) == ["r6", "r5", "r4", "r2", "r1", "r0", "r3"]
    assert names("metrics.score > 30 and tags.even = 'True'", order_by=["attributes.run_name ASC"]) == ["r4", "r6"]
    assert names("attributes.run_name LIKE 'r%' AND attributes.status = 'RUNNING'", order_by=["run_name"]) == [
        f"r{number}" for number in range(7)]
    assert sorted(names("metrics.score < 20 OR metrics.score > 50")) == ["r0", "r1", "r6"]
    seen, token = [], None
    while True:
        page = mlflow_client.search_runs([experiment], max_results=3, order_by=["run_name"], page_token=token)
        seen += [run.info.run_name for run in page]
        token = page.token
        if not token:
            break
    assert seen == [f"r{number}" for number in range(7)]
    for wrong in ("metrics.score >", "colour = 'red'", "metrics.score = 'ten'", "a ; DROP TABLE runs"):
        with pytest.raises(MlflowException) as refusal:
            names(wrong)
        assert refusal.value.error_code == "INVALID_PARAMETER_VALUE" and "SELECT" not in str(refusal.value)


def test_data_sets_of_a_run(mlflow_client, experiment):
    run = mlflow_client.create_run(experiment).info.run_id
    dataset = Dataset("train", "3f521c63", "http", '{"url": "http://x.example/d.csv"}', '{"columns": 2}', '{"num_rows": 2}')
    tags = [InputTag("t", "1"), InputTag("mlflow.data.context", "training")]
    mlflow_client.log_inputs(run, datasets=[DatasetInput(dataset, tags)])
    (read,) = mlflow_client.get_run(run).inputs.dataset_inputs
    assert dict(read.dataset) == dict(dataset)
    assert {tag.key: tag.value for tag in read.tags} == {"t": "1", "mlflow.data.context": "training"}
    assert len(mlflow_client.search_runs([experiment], "datasets.name = 'train' AND datasets.context = 'training'")) == 1


def test_logged_models(mlflow_client, experiment):
    run = mlflow_client.create_run(experiment).info.run_id
    model = mlflow_client.create_logged_model(
        experiment, name="solver", source_run_id=run, tags={"a": "b"}, params={"p": "1"}, model_type="dspy")
    assert model.status == "PENDING" and model.artifact_location.endswith(f"/models/{model.model_id}/artifacts")
    mlflow_client.log_outputs(run, [mlflow.entities.LoggedModelOutput(model.model_id, 2)])
    mlflow_client.set_logged_model_tags(model.model_id, {"c": "d"})
    mlflow_client.delete_logged_model_tag(model.model_id, "a")
    mlflow_client.log_metric(run, "accuracy", 0.5, model_id=model.model_id)
    mlflow_client.finalize_logged_model(model.model_id, "READY")
    read = mlflow_client.get_logged_model(model.model_id)
    assert read.status == "READY" and read.tags == {"c": "d"} and read.params == {"p": "1"}
    assert [(metric.key, metric.value) for metric in read.metrics] == [("accuracy", 0.5)]
    assert [output.model_id for output in mlflow_client.get_run(run).outputs.model_outputs] == [model.model_id]
    found = mlflow_client.search_logged_models([experiment], filter_string="name = 'solver' AND tags.c = 'd'")
    assert [entry.model_id for entry in found] == [model.model_id]
    mlflow_client.delete_logged_model(model.model_id)
    assert list(mlflow_client.search_logged_models([experiment])) == []


# Artifacts


def test_artifacts(mlflow_client, experiment, url, tmp_path):
    run = mlflow_client.create_run(experiment).info.run_id
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "a b+%.txt").write_text("first")
    (tmp_path / "in" / "sub" / "größe.bin").write_bytes(bytes(range(256)) * 8192)
    mlflow_client.log_artifacts(run, str(tmp_path / "in"), "data")
    assert [(f.path, f.is_dir) for f in mlflow_client.list_artifacts(run)] == [("data", True)]
    assert {f.path: f.file_size for f in mlflow_client.list_artifacts(run, "data")} == {
        "data/a b+%.txt": 5, "data/sub": None}
    assert mlflow_client.list_artifacts(run, "data/a b+%.txt") == []
    assert mlflow_client.list_artifacts(run, "nowhere") == []
    path = mlflow_client.download_artifacts(run, "data", str(tmp_path))
    assert (Path(path) / "a b+%.txt").read_text() == "first"
    assert (Path(path) / "sub" / "größe.bin").read_bytes() == bytes(range(256)) * 8192

    place = f"{url}/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/data"
    status, headers, body = ask(f"{place}/sub/gr%C3%B6%C3%9Fe.bin", headers={"Range": "bytes=250-259"})
    assert status == 206 and body == bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3])
    assert headers["Content-Range"] == f"bytes 250-259/{256 * 8192}"
    assert ask(f"{place}/sub/gr%C3%B6%C3%9Fe.bin", headers={"Range": "bytes=-1"})[2] == b"\xff"
    assert ask(f"{place}/sub/gr%C3%B6%C3%9Fe.bin", headers={"Range": "bytes=9999999-"})[0] == 416
    assert ask(f"{place}/sub", method="DELETE")[0] == 200
    assert [f.path for f in mlflow_client.list_artifacts(run, "data")] == ["data/a b+%.txt"]
    assert ask(f"{place}/sub", method="DELETE")[0] == 404


def test_a_large_file_in_parts(mlflow_client, experiment, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD", "true")
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(1 << 20))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(1 << 20))
    run = mlflow_client.create_run(experiment).info.run_id
    content = os.urandom((5 << 20) + 123)
    (tmp_path / "large.bin").write_bytes(content)
    mlflow_client.log_artifact(run, str(tmp_path / "large.bin"), "models")
    path = mlflow_client.download_artifacts(run, "models/large.bin", str(tmp_path / "models"))
    assert Path(path).read_bytes() == content


# Traces


def trace_of_three(experiment):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_span("root", span_type="CHAIN") as root:
        root.set_inputs({"question": "why?", "numbers": [1, 2.5, None, True]})
        with mlflow.start_span("model", span_type="CHAT_MODEL") as model:
            model.set_inputs({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]})
            model.set_attributes({"temperature": 0.5, "nested": {"a": [1, {"b": "c"}]}})
            model.set_outputs(["said"])
        with pytest.raises(ValueError):
            with mlflow.start_span("tool", span_type="TOOL"):
                raise ValueError("broken tool")
        root.set_outputs("because")
    mlflow.flush_trace_async_logging()
    return root.trace_id


def test_a_trace_comes_back_as_it_was(mlflow_client, experiment):
    trace = mlflow.get_trace(trace_of_three(experiment))
    root, model, tool = trace.data.spans
    assert root.inputs == {"question": "why?", "numbers": [1, 2.5, None, True]} and root.outputs == "because"
    assert (model.parent_id, tool.parent_id) == (root.span_id, root.span_id)
    assert model.attributes["nested"] == {"a": [1, {"b": "c"}]} and model.attributes["temperature"] == 0.5
    assert tool.status.status_code.value == "ERROR" and tool.events[0].name == "exception"
    assert "broken tool" in tool.events[0].attributes["exception.message"]
    assert trace.info.state == "OK" and trace.info.tags["mlflow.traceName"] == "root"


def test_tags_links_and_deletion_of_traces(mlflow_client, experiment):
    first, second = trace_of_three(experiment), trace_of_three(experiment)
    mlflow_client.set_trace_tag(first, "mark", "1")
    assert [t.info.trace_id for t in mlflow_client.search_traces(locations=[experiment], filter_string="tag.mark = '1'")] == [first]
    mlflow_client.delete_trace_tag(first, "mark")
    assert "mark" not in mlflow_client.get_trace(first).info.tags
    run = mlflow_client.create_run(experiment).info.run_id
    mlflow_client.link_traces_to_run([first], run)
    linked = mlflow_client.search_traces(locations=[experiment], filter_string=f"run_id = '{run}'")
    assert [t.info.trace_id for t in linked] == [first]
    assert mlflow_client.delete_traces(experiment, trace_ids=[first]) == 1
    with pytest.raises(MlflowException):
        mlflow_client.get_trace(first)
    assert mlflow_client.delete_traces(experiment, max_timestamp_millis=4_000_000_000_000) == 1
    assert len(mlflow_client.search_traces(locations=[experiment])) == 0 and second


def test_assessments(mlflow_client, experiment):
    trace = trace_of_three(experiment)
    human = AssessmentSource("HUMAN", "somebody")
    first = mlflow.log_feedback(trace_id=trace, name="good", value=True, source=human, rationale="it is", metadata={"k": "v"})
    mlflow.log_expectation(trace_id=trace, name="answer", value={"text": "because"}, source=human)
    second = mlflow.override_feedback(trace_id=trace, assessment_id=first.assessment_id, value=False)
    assert second.overrides == first.assessment_id
    read = {a.assessment_id: a for a in mlflow.get_trace(trace).info.assessments}
    assert (read[first.assessment_id].valid, read[second.assessment_id].valid) == (False, True)
    assert read[first.assessment_id].source == human and read[first.assessment_id].metadata["k"] == "v"
    updated = mlflow.update_assessment(
        trace_id=trace, assessment_id=second.assessment_id, assessment=Feedback(name="better", value=0.5, rationale="so"))
    assert (updated.name, updated.value, updated.rationale) == ("better", 0.5, "so")
    assert mlflow.get_assessment(trace, second.assessment_id).value == 0.5
    expectation = next(a for a in read.values() if isinstance(a, Expectation))
    assert expectation.value == {"text": "because"}
    failed = mlflow.log_assessment(trace, Feedback(name="judge", error=ValueError("no judge")))
    assert mlflow.get_assessment(trace, failed.assessment_id).error.error_message == "no judge"
    mlflow.delete_assessment(trace_id=trace, assessment_id=second.assessment_id)
    assert mlflow.get_assessment(trace, first.assessment_id).valid
    found = mlflow_client.search_traces(locations=[experiment], filter_string="feedback.good = 'true'")
    assert [t.info.trace_id for t in found] == [trace]


def test_a_judgement_may_come_before_its_trace(mlflow_client, experiment, url):
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_span("late") as span:
        pass
    status, _, reply = ask(
        f"{url}/api/3.0/mlflow/traces/{span.trace_id}/assessments",
        {"assessment": {"assessment_name": "early", "trace_id": span.trace_id, "feedback": {"value": 1}}})
    assert status == 200 and reply["assessment"]["assessment_id"].startswith("a-")
    mlflow.flush_trace_async_logging()
    assert [a.name for a in mlflow.get_trace(span.trace_id).info.assessments] == ["early"]


def test_openTelemetry_exporters(experiment, url, mlflow_client):
    pytest.importorskip("opentelemetry.sdk")
    import gzip
    import zlib

    trace = "0af7651916cd43dd8448eb211c80319c"
    span = {
        "traceId": trace, "spanId": "b7ad6b7169203331", "name": "chat", "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000250000000", "status": {},
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "7"}},
            {"key": "gen_ai.usage.output_tokens", "value": {"intValue": 3}},
            {"key": "mlflow.spanInputs", "value": {"stringValue": "{\"q\": 1}"}}],
    }
    body = json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}).encode()
    headers = {"Content-Type": "application/json", "x-mlflow-experiment-id": experiment}
    for encoding, packed in (("identity", body), ("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))):
        status, _, reply = ask(f"{url}/v1/traces", packed, headers={**headers, "Content-Encoding": encoding})
        assert (status, reply) == (200, {})
    read = mlflow.get_trace("tr-" + trace)
    (only,) = read.data.spans
    assert only.span_type == "CHAT_MODEL" and only.inputs == {"q": 1}
    assert read.info.execution_duration == 250 and read.info.token_usage["total_tokens"] == 10


def test_older_ways_to_the_same_things(mlflow_client, experiment, url):
    api = f"{url}/api/2.0/mlflow"
    status, _, reply = ask(
        f"{api}/traces", {"experiment_id": experiment, "timestamp_ms": 1_700_000_000_000, "tags": [{"key": "k", "value": "v"}]})
    assert status == 200 and reply["trace_info"]["status"] == "IN_PROGRESS"
    trace = reply["trace_info"]["request_id"]
    ask(f"{api}/traces/{trace}", {"timestamp_ms": 1_700_000_000_500, "status": "OK"}, method="PATCH")
    info = ask(f"{api}/traces/{trace}/info")[2]["trace_info"]
    assert (info["status"], info["execution_time_ms"]) == ("OK", 500) and {"key": "k", "value": "v"} in info["tags"]
    found = ask(f"{api}/traces?experiment_ids={experiment}&max_results=5")[2]
    assert [entry["request_id"] for entry in found["traces"]] == [trace]
    assert ask(f"{url}/ajax-api/2.0/mlflow/experiments/get?experiment_id=0")[0] == 200
    assert ask(f"{url}/ajax-api/3.0/mlflow/traces/{trace}")[2]["trace"]["trace_info"]["trace_id"] == trace


# Mistakes


@pytest.mark.parametrize("path, body, status, code", [
    ("runs/create", {"experiment_id": "999999"}, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("runs/create", {"experiment_id": "0", "start_time": "soon"}, 400, "INVALID_PARAMETER_VALUE"),
    ("runs/log-metric", {"run_id": "0" * 32, "key": "m", "value": 1, "timestamp": 1}, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}, 400, "INVALID_PARAMETER_VALUE"),
    ("runs/search", {"experiment_ids": ["0"], "max_results": 0}, 400, "INVALID_PARAMETER_VALUE"),
    ("runs/search", {"experiment_ids": ["0"], "run_view_type": "SOME"}, 400, "INVALID_PARAMETER_VALUE"),
    ("runs/search", {"experiment_ids": ["0"], "page_token": "garbage"}, 400, "INVALID_PARAMETER_VALUE"),
    ("experiments/create", {"name": ""}, 400, "INVALID_PARAMETER_VALUE"),
    ("runs/search", b"{", 400, "BAD_REQUEST"),
    ("runs/search", b'{"max_results": NaN}', 400, "BAD_REQUEST"),
    ("runs/search", b"[]", 400, "INVALID_PARAMETER_VALUE"),
    ("no/such/thing", {}, 404, "ENDPOINT_NOT_FOUND"),
])
def test_mistakes_are_named_and_never_our_fault(url, path, body, status, code):
    headers = {"Content-Type": "application/json"}
    found, _, reply = ask(f"{url}/api/2.0/mlflow/{path}", body, headers=headers)
    assert (found, reply["error_code"]) == (status, code)
    assert reply["message"] and "SQL" not in reply["message"]


def test_a_metric_needs_a_real_number_and_a_time(mlflow_client, experiment, url):
    run = mlflow_client.create_run(experiment).info.run_id
    for body in (b'"value": 1e400, "timestamp": 1', b'"value": 1', b'"value": "much", "timestamp": 1',
                 b'"value": 1, "timestamp": -5'):
        text = b'{"run_id": "%s", "key": "m", %s}' % (run.encode(), body)
        status, _, reply = ask(
            f"{url}/api/2.0/mlflow/runs/log-metric", text, headers={"Content-Type": "application/json"})
        assert (status, reply["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert mlflow_client.get_run(run).data.metrics == {}
    too_many = [{"key": "m", "value": 1, "timestamp": 1, "step": n} for n in range(1001)]
    assert ask(f"{url}/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": too_many})[0] == 400


def test_the_fluent_habits(mlflow_client, experiment, tmp_path):
    """What scripts do with `import mlflow` alone."""
    mlflow.set_experiment(experiment_id=experiment)
    with pytest.raises(ZeroDivisionError), mlflow.start_run(run_name="outer", description="why") as outer:
        mlflow.log_params({"a": 1, "b": None})
        for step in range(3):
            with mlflow.start_run(run_name=f"inner {step}", nested=True):
                mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_dict({"k": [1]}, "conf/some.json")
        mlflow.log_text("text", "notes.md")
        mlflow.log_table({"q": ["a", "b"], "n": [1, 2]}, "table.json")
        mlflow.log_table({"q": ["c"], "n": [3]}, "table.json")
        1 / 0
    found = mlflow.get_run(outer.info.run_id)
    assert found.info.status == "FAILED" and found.data.params == {"a": "1", "b": "None"}
    assert found.data.tags["mlflow.note.content"] == "why"
    children = mlflow.search_runs(
        [experiment], f"tags.mlflow.parentRunId = '{outer.info.run_id}'", order_by=["metrics.loss ASC"])
    assert list(children["tags.mlflow.runName"]) == ["inner 2", "inner 1", "inner 0"]
    assert mlflow.get_parent_run(children.run_id[0]).info.run_id == outer.info.run_id
    assert mlflow.artifacts.load_dict(f"runs:/{outer.info.run_id}/conf/some.json") == {"k": [1]}
    assert mlflow.load_table("table.json", run_ids=[outer.info.run_id]).n.tolist() == [1, 2, 3]
    with mlflow.start_run(run_id=outer.info.run_id):
        mlflow.log_metric("later", 1)
    assert mlflow.get_run(outer.info.run_id).info.status == "FINISHED"


def test_decorated_functions_and_what_people_say_of_them(mlflow_client, experiment):
    mlflow.set_experiment(experiment_id=experiment)

    @mlflow.trace(span_type="CHAIN")
    def ask_twice(question):
        with mlflow.start_span("again", span_type="TOOL") as span:
            span.set_inputs({"question": question})
        mlflow.update_current_trace(tags={"color": "red"}, metadata={"mlflow.trace.session": "s"})
        return question * 2

    assert ask_twice("ab") == "abab"
    mlflow.flush_trace_async_logging()
    trace = mlflow.get_last_active_trace_id()
    judged = mlflow.log_feedback(trace_id=trace, name="good", value=False, rationale="too short")
    mlflow.override_feedback(trace_id=trace, assessment_id=judged.assessment_id, value=True)
    mlflow.log_expectation(trace_id=trace, name="expected", value={"y": [1]})

    def ids(filter):
        return list(mlflow.search_traces(locations=[experiment], filter_string=filter).trace_id)

    for filter in ("feedback.good = 'true'", "span.name = 'again'", "span.type = 'TOOL'", "tags.color = 'red'",
                   "metadata.`mlflow.trace.session` = 's'", "trace.status = 'OK' AND name LIKE 'ask%'"):
        assert ids(filter) == [trace], filter
    for filter in ("span.name = 'agai'", "span.type = 'LLM'", "span.status = 'ERROR'", "feedback.good = 'no'"):
        assert ids(filter) == [], filter
    assert {one.name: one.value for one in mlflow.get_trace(trace).search_assessments()} == {"good": True, "expected": {"y": [1]}}


def test_the_command_line_of_mlflow(mlflow_client, experiment, url, tmp_path):
    def run(*words):
        ended = subprocess.run([sys.executable, "-m", "mlflow", *words], capture_output=True, text=True, timeout=120,
                               env={**os.environ, "MLFLOW_TRACKING_URI": url})
        assert ended.returncode == 0, ended.stderr[-2000:]
        return ended.stdout

    assert "test_the_command_line_of_mlflow" in run("experiments", "search")
    # It says where to look before it prints the document.
    said = run("runs", "create", "--experiment-id", experiment, "--run-name", "by hand")
    made = json.loads(said[said.index("{"):])["run_id"]
    assert made in run("runs", "list", "--experiment-id", experiment)
    file = tmp_path / "a file.txt"
    file.write_text("content")
    run("artifacts", "log-artifact", "--local-file", str(file), "--run-id", made)
    path = run("artifacts", "download", "--run-id", made, "--artifact-path", "a file.txt").strip().splitlines()[-1]
    assert Path(path).read_text() == "content"
    run("runs", "delete", "--run-id", made)
    assert made not in run("runs", "list", "--experiment-id", experiment)
    run("runs", "restore", "--run-id", made)
    assert json.loads(run("runs", "describe", "--run-id", made))["info"]["run_name"] == "by hand"


def test_what_a_registry_would_do_is_refused_in_words(mlflow_client):
    with pytest.raises(MlflowException) as refusal:
        mlflow_client.create_registered_model("a model")
    assert "Hone keeps no registry" in str(refusal.value)


def test_many_writers_at_once(mlflow_client, experiment):
    from concurrent.futures import ThreadPoolExecutor

    runs = [mlflow_client.create_run(experiment).info.run_id for _ in range(4)]

    def write(worker):
        for step in range(10):
            mlflow_client.log_batch(runs[worker % 4], metrics=[Metric(f"m{worker}", step, 1, step)])

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(write, range(32)))
    for index, run in enumerate(runs):
        assert mlflow_client.get_run(run).data.metrics == {f"m{worker}": 9.0 for worker in range(index, 32, 4)}
