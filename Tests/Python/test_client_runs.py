"""Runs that outlive their caller, and the caller's code in them, against the real service."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

import hone
from conftest import ROOT, wait_until
from tutorial import DEVSET, OPTIMIZER, TRAINSET, VALSET

JOB = {"program": "question -> answer", "optimizer": OPTIMIZER, "trainset": TRAINSET, "valset": VALSET,
       "metric": "numeric_match", "lm": "simulated"}
ROWS = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(12)]


@hone.model
def adder(messages, **options):
    """Adds, slowly and in the form that is asked for; gets it wrong until it is shown an example."""
    time.sleep(0.01)
    text = messages[-1]["content"]
    found = re.findall(r"What is (\d+) \+ (\d+)\?", text)
    asked = re.findall(r"\[\[ ## (\w+) ## \]\]", text.rpartition("Respond with")[2])
    asked = [name for name in asked if name != "completed"] or ["answer"]
    first, second = map(int, found[-1]) if found else (0, 0)
    total = first + second + (len(messages) < 4 and first % 2)
    values = {name: str(total) if name == "answer" else f"{first} and {second}" for name in asked}
    return "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in values.items()) + "[[ ## completed ## ]]"


@hone.metric
def same(example, prediction, trace=None):
    return hone.Score(str(example.answer) == str(prediction.answer).strip(), "compared")


@hone.tool
def double(number: int) -> int:
    """Doubles a number."""
    return 2 * int(number)


class Twice(hone.Program):
    """Answers, and answers again where the first answer is odd."""

    signature = "question -> answer"

    def __init__(self):
        self.first = hone.Predict("question -> answer")
        self.second = hone.Predict("question, attempt -> answer")

    def forward(self, question):
        answer = self.first(question=question).answer
        for _ in range(2):
            if int(answer) % 2 == 0:
                break
            answer = self.second(question=question, attempt=answer).answer
        return {"answer": answer}


SEARCH = hone.Optimizer("MIPROv2", auto=None, num_candidates=3, num_trials=4, minibatch=False)


def search(client, **options):
    return client.compile(Twice(), SEARCH, ROWS, same, valset=ROWS, lm=adder, seed=1, **options)


# MARK: The caller's code

def test_a_program_a_metric_and_a_model_of_python_are_compiled(client):
    parts = []
    result = search(client, experiment="python", on_partial=parts.append)
    assert result.score > result.baseline_score == 50 and len(result.trials) >= 4
    assert {"first", "second"} <= set(result.program)
    trace = client.get_trace(client.list_traces(experiment="python", max_results=1)[0].trace_id)
    predictors = [span.attributes.get("predictor") for span in trace.spans]
    assert trace.spans[0].name == "Twice.forward" and "first" in predictors
    assert len({span["traceId"] if "traceId" in span else 0 for span in trace.spans}) == 1
    best = Twice().with_state(result)
    again = client.evaluate(best, ROWS, same, lm=adder)
    assert again.score == result.score and again.results[0].feedback == "compared"
    assert client.evaluate(Twice(), ROWS, same, lm=adder).score == result.baseline_score


def test_a_state_is_saved_for_dspy_and_loaded_back(client, tmp_path, monkeypatch):
    monkeypatch.setattr("hone.defaults._settings.client", client)
    result = search(client)
    best = Twice().with_state(result)
    best.save(tmp_path / "best.json")
    again = Twice()
    again.load(tmp_path / "best.json")
    assert again.state == best.state and again.demos == best.demos
    assert set(again.instructions_by_predictor) == {"first", "second"}
    assert client.predict({"question": "What is 4 + 4?"}, program=again, lm=adder).answer == "8"
    hone.configure(lm=adder)
    try:
        assert again(question="What is 4 + 4?").answer == "8"
        with pytest.raises(TypeError, match="qestion"):
            again(qestion="What is 4 + 4?")
        assert asyncio.run(again.acall(question="What is 4 + 4?")).answer == "8"
    finally:
        hone.defaults._settings.request.clear()
    dspy = pytest.importorskip("dspy")

    class Same(dspy.Module):
        def __init__(self):
            super().__init__()
            self.first = dspy.Predict("question -> answer")
            self.second = dspy.Predict("question, attempt -> answer")

    theirs = Same()
    theirs.load(str(tmp_path / "best.json"))
    assert len(theirs.first.demos) == len(again.predictor_states()["first"]["demos"])


def test_a_tool_of_python_is_used(client):
    def lm(messages, **options):
        text = messages[-1]["content"]
        if "next_tool_name" in text.rpartition("Respond with")[2]:
            step = ("double", '{"number": 21}') if "observation_0" not in text else ("finish", "{}")
            return (f"[[ ## next_thought ## ]]\nthink\n\n[[ ## next_tool_name ## ]]\n{step[0]}\n\n"
                    f"[[ ## next_tool_args ## ]]\n{step[1]}\n\n[[ ## completed ## ]]")
        seen = re.search(r"\b42\b", text)
        return f"[[ ## reasoning ## ]]\nseen\n\n[[ ## answer ## ]]\n{seen[0] if seen else 'none'}\n\n[[ ## completed ## ]]"

    agent = hone.ReAct("question -> answer", tools=[double], max_iters=3)
    result = client.predict({"question": "Twice 21?"}, program=agent, lm=lm)
    assert result.answer == "42"
    spans = client.get_trace(result.trace_id).spans
    assert "TOOL" in {span.type for span in spans}


def test_a_coroutine_program_is_evaluated_by_the_asynchronous_client(executable, tmp_path):
    class Calm(hone.Program):
        def __init__(self):
            self.answer = hone.Predict("question -> answer")

        async def forward(self, question):
            answers = await asyncio.gather(*[self.answer.acall(question=question) for _ in range(2)])
            return {"answer": answers[-1].answer}

    async def main():
        async with hone.AsyncClient.start(tmp_path / "home", executable=executable) as client:
            result = await client.evaluate(Calm(), ROWS, same, lm=adder, concurrency=6)
            assert (result.score, result.count, result.failed) == (50, len(ROWS), 0)

    asyncio.run(main())


def test_one_examples_fault_is_its_own(client):
    def metric(example, prediction):
        if example.answer == "4":
            raise ValueError("no four")
        return 1

    result = client.evaluate("question -> answer", ROWS, metric, lm=adder, module="Predict")
    assert result.count == len(ROWS)
    failed = [one for one in result.results if one.error]
    assert len(failed) == 1 and "no four" in failed[0].error["message"]


# MARK: Runs by themselves

def test_a_detached_run_is_picked_up_by_another_client(service_socket):
    with hone.connect(service_socket) as client:
        handle = client.compile(**JOB, detach=True)
        assert isinstance(handle, hone.RunHandle) and handle.run_id in repr(handle)
    with hone.connect(service_socket) as other:
        picked = other.run_handle(handle.run_id)
        trials = []
        result = picked.watch(on_partial=trials.append)
        assert isinstance(result, hone.CompileResult) and result.run_id == handle.run_id
        assert picked.status == "FINISHED" and picked.result().score == result.score

    async def main():
        async with hone.AsyncClient.connect(service_socket) as client:
            handle = await client.evaluate("question -> answer", DEVSET, "numeric_match", lm="simulated", detach=True)
            result = await handle.watch()
            assert isinstance(result, hone.EvaluateResult) and await handle.status() == "FINISHED"

    asyncio.run(main())


def test_clients_of_one_store_share_a_service_that_outlives_them(executable, tmp_path, shared_services):
    home = tmp_path / "home"
    with hone.Client.attach(home, executable=executable, idle_timeout=60) as one, hone.connect(home=home, executable=executable) as two:
        handle = one.compile(**JOB, detach=True)
        one.close()
        assert two.watch_run(handle.run_id).status == "FINISHED"
        # What a service has loaded, all its clients can name.
        loaded = two.load_program(run=handle.run_id)
        with hone.Client.attach(home, executable=executable) as three:
            assert three.predict({"question": "?"}, program_id=loaded.program_id, lm="simulated").trace_id
            assert three.evaluate("question -> answer", ROWS, same, lm=adder, module="Predict").score == 50
        assert two.process.returncode is None
    assert one.process.returncode == two.process.returncode == 0


def test_a_service_of_its_own_finishes_what_was_detached(executable, tmp_path):
    client = hone.Client.start(tmp_path / "home", executable=executable)
    handle = client.compile(**JOB, detach=True)
    process = client.process
    client.close()
    with hone.Client.start(tmp_path / "home", executable=executable) as other:
        assert other.watch_run(handle.run_id).status == "FINISHED"
        assert other.get_run(handle.run_id).run.status == "FINISHED"

    def is_gone():
        try:
            return os.waitpid(process.pid, os.WNOHANG)[0] != 0
        except ChildProcessError:
            return True

    wait_until(is_gone)


def test_a_run_is_stopped_with_the_best_so_far_and_resumed_by_a_client_that_has_its_functions(executable, tmp_path):
    with hone.Client.start(tmp_path / "home", executable=executable) as client:
        scored, outcome = threading.Event(), []
        known = {}

        def note(report):
            known.update(report.get("data") or {})

        def run():
            outcome.append(search(client, on_progress=note, on_partial=lambda part: "trial" in part and scored.set()))

        thread = threading.Thread(target=run)
        thread.start()
        assert scored.wait(30)
        stopped = client.cancel_run(known["runId"])
        thread.join(30)
        assert outcome[0].status == stopped.status == "CANCELLED"
        assert outcome[0].score is not None and outcome[0].program
    with hone.Client.start(tmp_path / "home", executable=executable) as other:
        resumed = other.resume_run(known["runId"], functions=[same, adder, Twice()])
        assert resumed.status == "FINISHED" and resumed.run_id == known["runId"]
    with hone.Client.start(tmp_path / "undisturbed", executable=executable) as client:
        plain = search(client)
        assert [trial.score for trial in resumed.trials] == [trial.score for trial in plain.trials]
        assert resumed.program == plain.program


def test_a_budget_ends_a_search_with_the_best_so_far(client):
    result = client.compile(**JOB, budget={"max_calls": 40})
    assert result.status == "BUDGET_EXHAUSTED" and result.usage.calls <= 40 and result.program


SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:3]
import hone
from test_client_runs import search

with hone.Client.start(sys.argv[3]) as client:
    def tell(part):
        if "trial" in part:
            print("scored", flush=True)
    try:
        search(client, on_partial=tell)
    except KeyboardInterrupt as error:
        print(type(error).__name__, error.run_id, error.score, bool(error.program), error.result.status)
        print(error)
"""


def test_ctrl_c_brings_back_the_best_so_far(executable, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(ROOT / "Clients" / "python"), str(ROOT / "Tests" / "Python"),
         str(tmp_path / "home")],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "HONE": executable}, start_new_session=True)
    while process.stdout.readline().strip() != "scored":
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    lines = [line for line in out.splitlines() if line != "scored"]
    name, run_id, score, has_program, status = lines[0].split()
    assert (name, has_program, status) == ("Interrupted", "True", "CANCELLED") and float(score) >= 0
    assert f"resume_run('{run_id}')" in lines[1]
    assert process.returncode == 0
