"""What the Python client answers when the service calls back: scores, completions, tools, and programs of Python."""

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import hone
from conftest import wait_until
from fake import FakeService

EXAMPLE = {"question": "1 + 1", "answer": "2"}


@pytest.fixture
def fake(tmp_path):
    """Starts a service with a script and a client of it."""
    clients = []

    def begin(script, **options):
        service = FakeService(tmp_path / f"s{len(clients)}", script)
        clients.append(hone.Client.connect(service.path, **options))
        return service, clients[-1]

    yield begin
    for client in clients:
        client.close(timeout=2)


def asking(method, params):
    """A script that answers every request with what the client answers to a callback."""
    def script(service, request):
        reference = request["params"]["lm" if method.startswith("language") else "metric"]
        service.reply(request, service.ask(method, {"name": reference["client"], **params}))

    return script


def score(fake, metric, **params):
    """What the service hears of a metric."""
    script = asking("metric/score", {"example": EXAMPLE, "prediction": {"answer": "2"}, "trace": None, **params})
    _, client = fake(script)
    return dict(client.evaluate("question -> answer", [EXAMPLE], metric))


# MARK: Metrics

class Judged:
    """As DSPy's Prediction has it."""

    score, feedback = 0.5, "half"


@pytest.mark.parametrize("metric, result", [
    (lambda example, pred: example.answer == pred.answer, True),
    (lambda example, pred, trace=None: 0.25 if trace is None else 1, 0.25),
    (lambda example, pred, trace, pred_name, pred_trace: pred_name is pred_trace is None, True),
    (lambda *anything: len(anything), 3),
    (lambda example, pred: (0.5, "so so"), {"score": 0.5, "feedback": "so so"}),
    (lambda example, pred: hone.Score(1), 1),
    (lambda example, pred: hone.Score(0.5, "why"), {"score": 0.5, "feedback": "why"}),
    (lambda example, pred: {"score": False, "feedback": "no"}, {"score": False, "feedback": "no"}),
    (lambda example, pred: Judged(), {"score": 0.5, "feedback": "half"}),
    (lambda example, pred: example["answer"] in pred.values(), True),
])
def test_a_metric_may_be_written_in_many_ways(fake, metric, result):
    assert score(fake, metric)["result"] == result


@pytest.mark.parametrize("value", [None, "good", float("nan"), float("inf"), [], {"feedback": "no score"}, object()])
def test_what_is_no_score_is_an_error_that_says_so(fake, value):
    error = score(fake, lambda example, pred: value)["error"]
    assert error["data"]["kind"] == "metricFailed" and "not a score" in error["message"]
    assert "hone.Score" in error["data"]["remedy"]


def test_numbers_of_numpy_are_scores(fake):
    numpy = pytest.importorskip("numpy")
    assert score(fake, lambda example, pred: numpy.float32(0.5))["result"] == 0.5
    assert score(fake, lambda example, pred: numpy.bool_(True))["result"] is True


def test_bootstrapping_shows_a_metric_the_steps(fake):
    seen = []

    def metric(example, pred, trace=None):
        (name, inputs, outputs), = trace
        seen.append((name, inputs.question, outputs.answer, trace[0].predictor))
        return True

    step = {"predictor": "predict", "inputs": {"question": "1 + 1"}, "outputs": {"answer": "2"}}
    assert score(fake, metric, trace=[step])["result"] is True
    assert seen == [("predict", "1 + 1", "2", "predict")]


def test_options_are_given_where_a_metric_takes_them(fake):
    assert score(fake, lambda e, p, *, strict=False: strict, options={"strict": True, "other": 1})["result"] is True


def test_an_exception_is_told_with_a_short_traceback_of_the_callers_own_code(fake):
    def deeper():
        raise KeyError("gold")

    error = score(fake, lambda example, pred: deeper())["error"]
    assert error["message"] == "KeyError: 'gold'"
    text = error["data"]["traceback"]
    assert "in deeper" in text and "test_client_callbacks.py" in text and len(text) <= 2000
    assert "callbacks.py\", line" not in text.replace("test_client_callbacks.py", "")


def test_an_error_of_a_kind_keeps_it(fake):
    def metric(example, pred):
        raise hone.RateLimited("slower", data={"retryAfter": 3})

    error = score(fake, metric)["error"]
    assert (error["code"], error["message"]) == (-32803, "slower")
    assert error["data"] == {"kind": "rateLimited", "retryAfter": 3}


def test_even_an_exit_is_an_answer(fake):
    def metric(example, pred):
        raise SystemExit(3)

    assert score(fake, metric)["error"]["message"] == "SystemExit: 3"


def test_a_coroutine_is_a_metric_too(fake):
    async def metric(example, pred):
        await asyncio.sleep(0)
        return 0.75

    assert score(fake, metric)["result"] == 0.75


def test_a_decorator_names_a_function_and_leaves_it_as_it_is(fake):
    @hone.metric(name="mine", timeout=5)
    def metric(example, pred):
        return 1

    service, client = fake(lambda service, request: service.reply(request, {}))
    client.evaluate("question -> answer", [EXAMPLE], metric)
    assert service.heard[0]["params"]["metric"] == {"client": "mine", "timeout": 5}
    assert metric(EXAMPLE, {}) == 1


def test_functions_of_one_name_are_told_apart_while_both_are_needed(fake):
    names, waiting = [], []

    def script(service, request):
        names.append(request["params"]["metric"]["client"])
        waiting.append(request)
        if len(waiting) == 2:
            for one in waiting:
                name = one["params"]["metric"]["client"]
                service.reply(one, service.ask("metric/score", {"name": name, "example": {}, "prediction": {}}))

    def make(value):
        def metric(example, pred):
            return value

        return metric

    _, client = fake(script)
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda v: client.evaluate("a -> b", [EXAMPLE], make(v)), [1, 2])
    assert (first["result"], second["result"]) == (1, 2)
    assert sorted(names) == ["metric", "metric_2"]


def test_a_function_is_served_no_longer_than_it_is_needed(fake):
    asked = []

    def script(service, request):
        if request["method"] == "late":
            asked.append(service.ask("metric/score", {"name": "metric", "example": {}, "prediction": {}}))
        service.reply(request, {})

    @hone.metric
    def metric(example, pred):
        return 1

    _, client = fake(script)
    client.evaluate("a -> b", [EXAMPLE], metric)
    client.call("late")
    assert asked[0]["error"]["code"] == -32601 and "no metric \"metric\"" in asked[0]["error"]["message"]
    client.serve(metric)
    client.call("late")
    assert asked[1]["result"] == 1
    with pytest.raises(TypeError, match="@hone.metric"):
        client.serve(lambda example, pred: 1)


# MARK: Models

def complete(fake, model, **params):
    script = asking("languageModel/complete", {
        "messages": [{"role": "user", "content": "Hi"}], "options": {"temperature": 0.5, "n": 2}, **params})
    _, client = fake(script)
    return dict(client.evaluate("question -> answer", [EXAMPLE], "f1", lm=model))


class LikeDSPy:
    """A model as dspy.LM is called."""

    def __call__(self, prompt=None, messages=None, **kwargs):
        return [f"{messages[0]['content']} at {kwargs['temperature']}"] * kwargs["n"]


@pytest.mark.parametrize("model, result", [
    (lambda messages: messages[0]["content"], {"text": "Hi"}),
    (lambda messages, temperature: f"{temperature}", {"text": "0.5"}),
    (lambda messages, **options: f"{sorted(options)}", {"text": "['n', 'temperature']"}),
    (lambda messages, options: f"{options['n']}", {"text": "2"}),
    (lambda messages: ["a", "b"], {"choices": ["a", "b"]}),
    (lambda messages: {"text": "a", "usage": {"inputTokens": 1}}, {"text": "a", "usage": {"inputTokens": 1}}),
    (LikeDSPy(), {"choices": ["Hi at 0.5", "Hi at 0.5"]}),
])
def test_a_model_may_be_written_in_many_ways(fake, model, result):
    assert complete(fake, model)["result"] == result


def test_what_is_no_completion_is_an_error_that_says_so(fake):
    error = complete(fake, lambda messages: None)["error"]
    assert error["data"]["kind"] == "malformedReply"


# MARK: Tools

def test_hints_and_docstring_describe_a_tool(fake):
    from typing import Dict, List, Literal, Optional

    @hone.tool
    def search(query: str, k: int = 3, *, kinds: Optional[List[str]] = None, order: Literal["new", "old"] = "new",
               weights: Dict[str, float] = {}):
        """Searches
        the shelves.

        Longer words that nobody needs.

        Args:
            query: what to
                look for.
            k (int): how many.

        Returns:
            titles.
        """
        return [f"{query} {number}" for number in range(k)]

    def script(service, request):
        tool, = request["params"]["program"]["tools"]
        service.reply(request, {
            "outputs": {"tool": tool,
                        "answer": service.ask("tool/call", {"name": "search", "args": {"query": "a", "k": 2}}),
                        "wrong": service.ask("tool/call", {"name": "search", "args": {"qery": "a"}})}})

    _, client = fake(script)
    outputs = client.predict({"question": "?"}, program=hone.ReAct("question -> answer", tools=[search])).outputs
    assert outputs["tool"] == {"name": "search", "description": "Searches the shelves.", "args": {
        "query": {"type": "string", "description": "what to look for."},
        "k": {"type": "integer", "description": "how many.", "default": 3},
        "kinds": {"type": "array", "items": {"type": "string"}, "default": None},
        "order": {"type": "string", "enum": ["new", "old"], "default": "new"},
        "weights": {"type": "object", "additionalProperties": {"type": "number"}, "default": {}}}}
    assert outputs["answer"]["result"] == {"result": ["a 0", "a 1"]}
    assert "qery" in outputs["wrong"]["error"]["message"]


# MARK: Programs

class Hops(hone.Program):
    """Looks things up until it knows enough."""

    def __init__(self):
        self.query = hone.ChainOfThought("question, notes -> query")
        self.steps = [hone.Predict("a -> b"), hone.Predict("b -> c")]
        self.last = Last()

    def forward(self, question, rounds=2):
        notes = []
        for _ in range(rounds):
            query = self.query(question=question, notes=notes).query
            if query == "enough":
                break
            notes.append(query)
        return self.last(question=question, notes=notes)


class Last(hone.Program):
    def __init__(self):
        self.answer = hone.Predict("question, notes -> answer")

    def forward(self, question, notes):
        return self.answer(question=question, notes=notes)


def host(behave):
    """A script that runs a program once for a `predict` and answers its predictors with `behave(predictor, inputs)`."""
    def script(service, request):
        params = request["params"]
        if "executionId" in params:
            behave(service, request, params["predictor"], params["inputs"])
            return
        answer = service.ask("program/forward", {
            "name": params["program"]["host"], "executionId": "e" * 32, "inputs": params["inputs"]})
        if "result" in answer:
            service.reply(request, answer["result"])
        else:
            service.fail(request, **answer["error"])

    return script


def test_a_program_of_python_runs_its_loops_and_asks_for_its_predictors(fake):
    asked = []

    def behave(service, request, predictor, inputs):
        asked.append((predictor, inputs))
        found = {"query": "enough" if inputs.get("notes") else "look"} if predictor == "query" else {"answer": "42"}
        service.reply(request, {"outputs": found})

    service, client = fake(host(behave))
    result = client.predict({"question": "Why?", "other": "not taken"}, program=Hops())
    assert result.outputs == {"answer": "42"} and result.answer == "42"
    assert asked == [
        ("query", {"question": "Why?", "notes": []}), ("query", {"question": "Why?", "notes": ["look"]}),
        ("last.answer", {"question": "Why?", "notes": ["look"]})]
    program = service.heard[0]["params"]["program"]
    assert program["host"] == "Hops" and "while" not in program["description"] and "for _" in program["description"]
    assert program["predictors"] == {
        "query": {"module": "ChainOfThought", "signature": "question, notes -> query"},
        "steps[0]": {"module": "Predict", "signature": "a -> b"},
        "steps[1]": {"module": "Predict", "signature": "b -> c"},
        "last.answer": {"module": "Predict", "signature": "question, notes -> answer"}}


@hone.program(signature="question -> answer")
def solve(question, *, plan=hone.Predict("question -> plan"), answer=hone.Predict("plan -> answer")):
    """Plans first."""
    return answer(plan=plan(question=question).plan).answer


def test_a_function_is_a_program_whose_predictors_are_its_defaults(fake):
    def behave(service, request, predictor, inputs):
        service.reply(request, {"outputs": {"plan": "p"} if predictor == "plan" else {"answer": inputs["plan"] + "!"}})

    service, client = fake(host(behave))
    assert client.predict({"question": "Why?"}, program=solve).outputs == {"answer": "p!"}
    program = service.heard[0]["params"]["program"]
    assert (program["host"], program["signature"]) == ("solve", "question -> answer")
    assert list(program["predictors"]) == ["plan", "answer"]
    assert solve.input_names() == ["question"]


def test_a_program_says_what_it_takes(fake):
    service, client = fake(lambda service, request: service.reply(request, {}))
    client.evaluate(solve, [EXAMPLE], "f1")
    assert service.heard[0]["params"]["program"]["signature"] == "question -> answer"
    client.evaluate(Hops(), [EXAMPLE], "f1")
    assert service.heard[1]["params"]["program"]["inputs"] == ["question"]
    client.predict({"question": "?", "rounds": 3}, program=Hops())
    assert "inputs" not in service.heard[2]["params"]["program"]


def test_an_outage_stays_an_outage_and_a_fault_of_the_program_is_its_own(fake):
    def behave(service, request, predictor, inputs):
        service.fail(request, -32803, "No answer.", {"kind": "languageModelUnavailable"})

    _, client = fake(host(behave))
    with pytest.raises(hone.LanguageModelUnavailable, match="No answer"):
        client.predict({"question": "Why?"}, program=Hops())

    @hone.program
    def broken(question, *, answer=hone.Predict("question -> answer")):
        return 1 / 0

    with pytest.raises(hone.HoneError, match="ZeroDivisionError") as caught:
        client.predict({"question": "Why?"}, program=broken)
    assert caught.value.kind is None and "return 1 / 0" in caught.value.data["traceback"]

    @hone.program
    def shapeless(question, *, answer=hone.Predict("question -> answer")):
        return 3

    with pytest.raises(hone.HoneError, match="returned a int"):
        client.predict({"question": "Why?"}, program=shapeless)


def test_a_program_may_catch_a_predictors_error_and_go_on(fake):
    def behave(service, request, predictor, inputs):
        if predictor == "plan":
            service.fail(request, -32803, "Cannot be read.", {"kind": "outputUnparsable"})
        else:
            service.reply(request, {"outputs": {"answer": inputs["plan"]}})

    @hone.program
    def careful(question, *, plan=hone.Predict("question -> plan"), answer=hone.Predict("plan -> answer")):
        try:
            planned = plan(question=question).plan
        except hone.OutputUnparsable:
            planned = "none"
        return {"answer": answer(plan=planned).answer}

    _, client = fake(host(behave))
    assert client.predict({"question": "Why?"}, program=careful).answer == "none"


def test_a_predictor_that_is_not_declared_is_refused_with_advice(fake):
    @hone.program
    def hasty(question, *, answer=hone.Predict("question -> answer")):
        return hone.Predict("question -> answer")(question=question)

    _, client = fake(host(lambda *_: None))
    with pytest.raises(hone.HoneError, match="neither optimized nor traced"):
        client.predict({"question": "Why?"}, program=hasty)
    with pytest.raises(TypeError, match="no predictors"):
        client.predict({"question": "Why?"}, program=type("Empty", (hone.Program,), {"forward": lambda self: {}})())


def test_threads_of_a_program_need_its_context_and_are_told_so(fake):
    def behave(service, request, predictor, inputs):
        service.reply(request, {"outputs": {"answer": inputs["question"]}})

    @hone.program
    def spread(question, *, answer=hone.Predict("question -> answer")):
        with ThreadPoolExecutor() as pool:
            jobs = [pool.submit(contextvars.copy_context().run, answer, question=str(i)) for i in range(3)]
            return {"answer": "".join(job.result().answer for job in jobs)}

    @hone.program
    def careless(question, *, answer=hone.Predict("question -> answer")):
        with ThreadPoolExecutor() as pool:
            return pool.submit(answer, question=question).result()

    _, client = fake(host(behave))
    assert client.predict({"question": "Why?"}, program=spread).answer == "012"
    with pytest.raises(hone.HoneError, match="copy_context"):
        client.predict({"question": "Why?"}, program=careless)


class Patient(hone.Program):
    def __init__(self):
        self.answer = hone.Predict("question -> answer")

    async def forward(self, question):
        first, second = await asyncio.gather(
            self.answer.acall(question=question + "1"), self.answer.acall(question=question + "2"))
        return {"answer": first.answer + second.answer}


def echo(service, request, predictor, inputs):
    service.reply(request, {"outputs": {"answer": inputs["question"]}})


def test_a_forward_may_be_a_coroutine(fake):
    _, client = fake(host(echo))
    assert client.predict({"question": "q"}, program=Patient()).answer == "q1q2"


def test_coroutines_run_on_the_loop_of_an_asynchronous_client(tmp_path):
    FakeService(tmp_path / "s", host(echo))
    loops = []

    async def lm(messages):
        loops.append(asyncio.get_running_loop())
        return "x"

    class Where(Patient):
        async def forward(self, question):
            loops.append(asyncio.get_running_loop())
            return await super().forward(question)

    async def main():
        async with hone.AsyncClient.connect(tmp_path / "s") as client:
            result = await client.predict({"question": "q"}, program=Where())
            assert result.answer == "q1q2"
            assert loops == [asyncio.get_running_loop()]

    asyncio.run(main())


def test_many_executions_at_once_never_wait_for_each_other(fake):
    """Two threads serve forty programs, each of which needs a model that the same client serves."""
    def script(service, request):
        params = request["params"]
        if "executionId" in params:
            text = service.ask("languageModel/complete", {"name": "lm", "messages": [params["inputs"]], "options": {}})
            service.reply(request, {"outputs": {"answer": text["result"]["text"]}})
            return
        forwards = [service.begin("program/forward", {
            "name": "solve", "executionId": f"{number:032}", "inputs": {"question": str(number)}})[1]
            for number in range(40)]
        service.reply(request, {"outputs": {"all": [one.get(timeout=20)["result"]["outputs"] for one in forwards]}})

    @hone.program(name="solve")
    def twice(question, *, answer=hone.Predict("question -> answer")):
        return answer(question=answer(question=question).answer)

    def lm(messages):
        time.sleep(0.001)
        return messages[0]["question"] + "."

    _, client = fake(script, callback_threads=2)
    outputs = client.predict({"question": "?"}, program=twice, lm=lm).outputs["all"]
    assert outputs == [{"answer": f"{number}.."} for number in range(40)]


def test_no_more_callbacks_run_at_once_than_were_allowed(fake):
    running, most, lock = [0], [0], threading.Lock()

    def metric(example, pred):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.01)
        with lock:
            running[0] -= 1
        return 1

    def script(service, request):
        asked = [service.begin("metric/score", {"name": "metric", "example": {}, "prediction": {}})[1]
                 for _ in range(20)]
        service.reply(request, {"scores": [one.get(timeout=20)["result"] for one in asked]})

    _, client = fake(script, callback_threads=3)
    assert client.evaluate("a -> b", [EXAMPLE], metric)["scores"] == [1] * 20
    assert most[0] == 3


def test_a_callback_that_is_cancelled_is_not_begun_and_one_under_way_asks_no_more(fake):
    begun, release, outcome = threading.Event(), threading.Event(), []

    @hone.program(name="slow")
    def slow(question, *, answer=hone.Predict("question -> answer")):
        begun.set()
        release.wait(20)
        try:
            answer(question=question)
        except hone.Cancelled as error:
            outcome.append(error)
            raise
        return {}

    def script(service, request):
        params = {"name": "slow", "inputs": {"question": ""}}
        first, answers = service.begin("program/forward", {**params, "executionId": "1"})
        second, _ = service.begin("program/forward", {**params, "executionId": "2"})
        assert begun.wait(20)
        begun.clear()
        service.cancel(second)
        service.cancel(first)
        service.cancel(7)
        service.cancel([])
        time.sleep(0.1)
        release.set()
        service.reply(request, {"outputs": {"late": answers.get(timeout=20)["error"]["code"], "again": begun.is_set()}})

    _, client = fake(script, callback_threads=1)
    assert client.predict({"question": "?"}, program=slow).outputs == {"late": -32800, "again": False}
    assert len(outcome) == 1


def test_a_coroutine_that_is_cancelled_ends(fake):
    ended = threading.Event()

    async def metric(example, pred):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.set()
            raise

    def script(service, request):
        call_id, answers = service.begin("metric/score", {"name": "metric", "example": {}, "prediction": {}})
        time.sleep(0.1)
        service.cancel(call_id)
        service.reply(request, answers.get(timeout=20))

    _, client = fake(script)
    assert client.evaluate("a -> b", [EXAMPLE], metric)["error"]["code"] == -32800
    assert ended.wait(20)


def test_a_service_that_dies_during_a_callback_ends_the_call_and_nothing_else(fake):
    finished = threading.Event()

    def metric(example, pred):
        finished.wait(20)
        return 1

    def script(service, request):
        service.begin("metric/score", {"name": "metric", "example": {}, "prediction": {}})
        time.sleep(0.05)
        service.hang_up()

    _, client = fake(script)
    with pytest.raises(hone.ConnectionLost):
        client.evaluate("a -> b", [EXAMPLE], metric)
    finished.set()
    with pytest.raises(hone.HoneError):
        client.list_runs()


@pytest.mark.parametrize("method, params", [
    ("metric/score", {}), ("metric/score", {"name": None}), ("metric/score", []), ("no/such", {"name": "x"}),
    ("program/forward", {"name": ["x"]})])
def test_what_cannot_be_served_is_refused_and_the_conversation_goes_on(fake, method, params):
    _, client = fake(lambda service, request: service.reply(request, {"said": service.ask(method, params)}))
    for _ in range(2):
        assert client.call("anything")["said"]["error"]["code"] == -32601


def test_a_callback_that_comes_twice_is_answered_twice_and_a_late_answer_is_passed_over(fake):
    def script(service, request):
        params = {"name": "metric", "example": {}, "prediction": {}}
        both = [service.ask("metric/score", params)["result"] for _ in range(2)]
        service.reply(request, {"both": both})
        service.reply(request, {"both": "again"})
        service.send({"jsonrpc": "2.0", "id": 999, "result": "to nobody"})
        service.send({"jsonrpc": "2.0", "id": True, "result": "to nobody"})

    @hone.metric
    def metric(example, pred):
        return 1

    _, client = fake(script)
    for _ in range(3):
        assert client.evaluate("a -> b", [EXAMPLE], metric) == {"both": [1, 1]}
    wait_until(lambda: not client._core.connection.waiting)
