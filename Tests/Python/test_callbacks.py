"""The client's own metric and language model take part in a request, whatever they do."""

import json
import threading
import time

import pytest
from wire import Peer, Raised, Refused, Silent

ROWS = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(1, 21)]


@pytest.fixture
def connect(service_socket):
    """Connects peers with handlers to one service."""
    peers = []

    def connect(**handlers):
        peer = Peer.at(service_socket, handlers={name.replace("_", "/", 1): work for name, work in handlers.items()})
        peers.append(peer)
        return peer

    yield connect
    for peer in peers:
        peer.close()


def complete(params):
    """A model that adds, in the form that is asked for."""
    words = params["messages"][-1]["content"].split("What is ")[-1].split("?")[0].split(" + ")
    total = sum(int(word) for word in words)
    return {"text": f"[[ ## reasoning ## ]]\nBy adding.\n\n[[ ## answer ## ]]\n{total}\n\n[[ ## completed ## ]]",
            "usage": {"inputTokens": 11, "outputTokens": 7}}


def evaluation(**more):
    return {"program": "question -> answer", "devset": ROWS, "metric": {"client": "exact"}, "lm": {"client": "adder"},
            "experiment": "callbacks", **more}


def exact(params):
    return params["example"]["answer"] == params["prediction"]["answer"]


def test_metric_and_model(connect):
    peer = connect(metric_score=exact, languageModel_complete=complete)
    result = peer.call("evaluate", evaluation())
    assert result["score"] == 100.0 and result["failed"] == 0
    assert result["usage"]["calls"] == 20 and result["usage"]["inputTokens"] == 220
    scored = [message["params"] for message in peer.asked if message["method"] == "metric/score"]
    assert len(scored) == 20 and all(message["id"] >= 1_000_000_000 for message in peer.asked)
    first = next(params for params in scored if params["example"] == ROWS[0])
    assert first == {"name": "exact", "example": ROWS[0], "prediction": {"reasoning": "By adding.", "answer": "2"},
                     "trace": None}
    asked = next(message["params"] for message in peer.asked if message["method"] == "languageModel/complete")
    assert asked["name"] == "adder" and [m["role"] for m in asked["messages"]] == ["system", "user"]
    assert asked["options"] == {}
    trace = peer.call("getTrace", {"traceId": result["results"][0]["traceId"]})
    assert trace["info"]["assessments"][0]["name"] == "exact"


@pytest.mark.parametrize("answer, score, feedback", [
    (1, 100.0, None), (0.25, 25.0, None), (True, 100.0, None), (False, 0.0, None),
    ({"score": 0.5, "feedback": "half of it"}, 50.0, "half of it")])
def test_what_a_metric_may_answer(connect, answer, score, feedback):
    peer = connect(metric_score=lambda params: answer, languageModel_complete=complete)
    result = peer.call("evaluate", evaluation())
    assert result["score"] == score
    assert result["results"][0].get("feedback") == feedback


def test_options_of_metric_and_model(connect):
    peer = connect(metric_score=exact, languageModel_complete=complete)
    peer.call("evaluate", evaluation(
        devset=ROWS[:1], metric={"client": "exact", "options": {"strict": True}},
        lm={"client": "adder", "temperature": 0.5, "maxTokens": 99, "stop": ["x"]}))
    by_method = {message["method"]: message["params"] for message in peer.asked}
    assert by_method["metric/score"]["options"] == {"strict": True}
    assert by_method["languageModel/complete"]["options"] == {"temperature": 0.5, "max_tokens": 99, "stop": ["x"]}


def test_bad_answers_are_one_examples_result(connect):
    """A metric that raises, answers nonsense, late or twice, costs its own example and nothing else."""
    peer = None

    def metric(params):
        number = int(params["example"]["answer"]) // 2
        if number == 3:
            raise ValueError("three is too much")
        if number == 4:
            return "four"
        if number == 5:
            return {"score": None}
        if number == 6:
            time.sleep(2)
            return True
        if number == 7:
            peer.send({"jsonrpc": "2.0", "id": peer.answering.id, "result": True})
            return True
        return True

    peer = connect(metric_score=metric, languageModel_complete=complete)
    result = peer.call("evaluate", evaluation(metric={"client": "exact", "timeout": 0.7}, concurrency=1))
    kinds = {row["index"] + 1: row["error"]["kind"] for row in result["results"] if "error" in row}
    assert kinds == {3: "metricFailed", 4: "metricFailed", 5: "metricFailed", 6: "metricFailed"}
    assert result["failed"] == 4 and result["score"] == 80.0
    messages = {row["index"] + 1: row["error"]["message"] for row in result["results"] if "error" in row}
    assert "three is too much" in messages[3] and "four" in messages[4] and "0.7 s" in messages[6]
    late = [m["id"] for m in peer.asked if m["method"] == "metric/score" and m["params"]["example"] == ROWS[5]]
    assert set(late) == peer.cancelled
    # The service is well, and so is the connection.
    assert peer.call("evaluate", evaluation(metric={"client": "exact", "timeout": 5}))["failed"] == 3


def test_model_failures_are_told_apart(connect):
    seen = []

    def model(params):
        text = params["messages"][-1]["content"]
        if "What is 2 + 2?" in text:
            seen.append(text)
            if len(seen) == 1:
                raise Raised("busy", kind="rateLimited", retryAfter=0.05)
        if "What is 3 + 3?" in text:
            raise Raised("too long", kind="contextWindowExceeded")
        if "What is 4 + 4?" in text:
            raise ValueError("out of memory")
        if "What is 5 + 5?" in text:
            return {"txet": "?"}
        return complete(params)

    peer = connect(metric_score=exact, languageModel_complete=model)
    result = peer.call("evaluate", evaluation(lm={"client": "adder", "retries": 1}))
    kinds = {row["index"] + 1: row["error"]["kind"] for row in result["results"] if "error" in row}
    assert kinds == {3: "contextWindowExceeded", 4: "languageModelUnavailable", 5: "malformedReply"}
    assert len(seen) == 2
    assert "out of memory" in result["results"][3]["error"]["message"]


def test_a_wrong_key_ends_it_at_once(connect):
    def model(params):
        raise Raised("bad key", kind="authentication")

    peer = connect(metric_score=exact, languageModel_complete=model)
    with pytest.raises(Refused) as failure:
        peer.call("evaluate", evaluation())
    assert failure.value.kind == "authentication"


def test_a_client_without_handlers_is_told(connect):
    peer = connect(languageModel_complete=complete)
    with pytest.raises(Refused) as failure:
        peer.call("evaluate", evaluation())
    assert failure.value.kind == "metricFailed" and "metric/score" in str(failure.value)


def test_initialize_states_what_is_served(connect):
    peer = connect(metric_score=exact, languageModel_complete=complete)
    peer.call("initialize", {"processId": None, "capabilities": {"callbacks": {"metrics": ["exact_sum"]}}})
    with pytest.raises(Refused) as failure:
        peer.call("evaluate", evaluation(metric={"client": "exact_sun"}))
    problem = failure.value.data["problems"][0]
    assert failure.value.code == -32602
    assert problem["path"] == "metric.client" and problem["suggestion"] == "exact_sum"
    assert not peer.asked
    # Nothing was said of language models, so they are trusted.
    assert peer.call("evaluate", evaluation(metric={"client": "exact_sum"}))["score"] == 100.0


@pytest.mark.parametrize("optimizer, place", [
    ({"name": "GEPA", "proposer": {"client": "pan"}}, "optimizer.proposer.client"),
    ({"name": "chain", "strategy": "auto", "optimizers": {"auto": {"proposer": {"client": "pan"}}}},
     "optimizer.optimizers.auto.proposer.client")])
def test_a_proposer_that_is_not_served_is_refused_before_any_call(connect, optimizer, place):
    peer = connect(metric_score=exact, languageModel_complete=complete)
    peer.call("initialize", {"processId": None, "capabilities": {"callbacks": {"proposers": ["pen"]}}})
    with pytest.raises(Refused) as failure:
        peer.call("compile", {
            "program": "question -> answer", "optimizer": optimizer, "trainset": ROWS, "metric": {"client": "exact"},
            "lm": {"client": "adder"}})
    problem = failure.value.data["problems"][0]
    assert problem["path"] == place and problem["suggestion"] == "pen" and not peer.asked


def test_cancelling_tells_the_client(connect):
    begun = threading.Event()

    def metric(params):
        begun.set()
        raise Silent

    peer = connect(metric_score=metric, languageModel_complete=complete)
    request = peer.ask("evaluate", evaluation())
    assert begun.wait(20)
    peer.cancel(request)
    with pytest.raises(Refused) as failure:
        request.result(20)
    assert failure.value.code == -32800
    run = peer.call("getRun", {"runId": failure.value.data["runId"]})["run"]
    assert run["tags"]["hone.status"] == "CANCELLED"
    # Every metric that was waited for, and whichever models were being asked besides.
    asked = {m["id"] for m in peer.asked if m["method"] == "metric/score"}
    assert asked <= peer.cancelled <= {m["id"] for m in peer.asked}


def test_a_client_that_dies_ends_its_own_requests_only(connect):
    begun = threading.Event()

    def metric(params):
        begun.set()
        raise Silent

    dying = connect(metric_score=metric, languageModel_complete=complete)
    other = connect(metric_score=lambda params: time.sleep(0.05) or exact(params), languageModel_complete=complete)
    dying.ask("evaluate", evaluation(experiment="dying"))
    going = other.ask("evaluate", evaluation(experiment="other"))
    assert begun.wait(20)
    dying.close()
    assert going.result(60)["score"] == 100.0
    deadline = time.monotonic() + 20
    while True:
        run = other.call("listRuns", {"experiment": "dying"})["runs"][0]
        if run["status"] != "RUNNING":
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert run["tags"]["hone.status"] == "INTERRUPTED"
    assert "went away" in run["tags"]["hone.error"]


def test_callbacks_in_a_compile(connect):
    """A compile on the client's metric and models: what bootstrapping asks carries the trace, and nothing is asked twice."""
    peer = connect(metric_score=exact, languageModel_complete=lambda params: complete(params))
    result = peer.call("compile", {
        "program": "question -> answer", "optimizer": {"name": "BootstrapFewShot", "max_bootstrapped_demos": 2},
        "trainset": ROWS[:6], "valset": ROWS[6:12], "metric": {"client": "exact"}, "lm": {"client": "adder"}})
    assert result["score"] == 100.0
    traces = [m["params"]["trace"] for m in peer.asked if m["method"] == "metric/score"]
    steps = [trace for trace in traces if trace is not None]
    assert steps and steps[0][0]["predictor"] == "predict" and set(steps[0][0]) == {"predictor", "inputs", "outputs"}
    assert len([demo for demo in result["program"]["predict"]["demos"] if demo.get("augmented")]) == 2


def test_a_command_line_has_no_client(executable, tmp_path):
    import subprocess

    request = {"program": "question -> answer", "devset": ROWS[:1], "metric": {"client": "exact"}, "lm": "simulated"}
    done = subprocess.run(
        [executable, "call", "evaluate", json.dumps(request), "--home", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 2 and "hone serve" in done.stderr


def test_end_of_input_while_a_callback_is_needed(executable, tmp_path):
    """Half-closed, nobody can answer any more: the request is answered, as such, and the process ends."""
    begun = threading.Event()

    def metric(params):
        begun.set()
        raise Silent

    peer = Peer.started(executable, tmp_path / "home", handlers={"metric/score": metric, "languageModel/complete": complete})
    request = peer.ask("evaluate", evaluation())
    assert begun.wait(20)
    peer.close()
    with pytest.raises(Refused) as failure:
        request.result(20)
    assert failure.value.kind == "clientGone"
