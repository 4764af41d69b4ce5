"""Whatever comes in, the answer says what is wrong and where, and the next request is answered as ever."""

import json
import subprocess

import pytest

from conftest import ROOT, SIMLM
from tutorial import DEVSET, OPTIMIZER, QUESTION, TRAINSET, VALSET

CASES = [json.loads(line) for line in (ROOT / "Protocol" / "bad-input.jsonl").read_text("utf-8").splitlines()]
GOOD = json.dumps({"jsonrpc": "2.0", "id": "good", "method": "listExperiments"})
needs_endpoint = pytest.mark.skipif(not SIMLM.exists(), reason="the simulated endpoint is not beside the project")


@pytest.fixture(scope="module")
def lines(executable, tmp_path_factory):
    """Asks one service line by line: gives the answer to the text."""
    home = tmp_path_factory.mktemp("home")
    process = subprocess.Popen(
        [executable, "serve", "--home", str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(text):
        process.stdin.write(text.encode("utf-8") + b"\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield ask
    process.stdin.close()
    assert process.stdout.read() == b""
    assert process.wait(20) == 0
    process.stdout.close()


def test_every_case_has_a_name_of_its_own():
    assert len({case["name"] for case in CASES}) == len(CASES) > 40


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_bad_input_is_answered_clearly(lines, case):
    send, expect = case["send"], case["expect"]
    answer = lines(send if isinstance(send, str) else json.dumps(send))
    assert set(answer) == {"jsonrpc", "id", "error"}
    if not isinstance(send, str):
        assert answer["id"] == send["id"]
    error = answer["error"]
    assert error["code"] == expect["code"], error
    assert error["message"]
    data = error.get("data") or {}
    if "kind" in expect:
        assert data["kind"] == expect["kind"]
    for wanted in expect.get("problems", []):
        assert any(wanted.items() <= problem.items() for problem in data["problems"]), (wanted, data["problems"])
    for problem in data.get("problems", []):
        assert problem["message"]
    for text in expect.get("contains", []):
        assert text in json.dumps(error, ensure_ascii=False) or text in error["message"]
    good = lines(GOOD)
    assert good["id"] == "good" and "result" in good


def test_all_problems_are_named_at_once_and_none_that_is_not_there(client):
    import hone

    with pytest.raises(hone.HoneError) as caught:
        client.call("evaluate", {"program": "a -> b", "devset": [{"a": "1", "b": "2"}], "metric": "f2", "lmm": 1})
    error = caught.value
    assert sorted(problem["path"] for problem in error.problems) == ["lm", "lmm", "metric"]
    assert (error.code, error.kind) == (-32602, "invalidParams")


def test_an_unknown_preset_is_one_problem(client):
    import hone

    with pytest.raises(hone.HoneError) as caught:
        client.compile("question -> answer", {"name": "MIPROv2", "auto": "lite"}, TRAINSET, "f1", lm="simulated")
    assert [problem["path"] for problem in caught.value.problems] == ["optimizer.auto"]


def test_a_mistyped_input_is_not_recommended(client):
    import hone

    with pytest.raises(hone.HoneError) as caught:
        client.predict({"qestion": QUESTION}, program="question -> answer", lm="simulated")
    assert "qestion" not in [problem.get("suggestion") for problem in caught.value.problems]


def check_paused(client, run_id):
    """What a later moment may mend pauses a run: it says so, and how to go on."""
    run = client.get_run(run_id)["run"]
    assert (run["status"], run["tags"]["hone.status"]) == ("KILLED", "PAUSED")
    assert run_id in run["resumeCommand"]


def model(base, **options):
    return {"model": "openai/sim", "apiBase": base, "retries": 0, "cache": False, **options}


FAULTS = {
    "garbage": (["--fault-garbage", 1], "malformedReply"),
    "a server error": (["--fault-500", 1], "languageModelUnavailable"),
    "too many requests": (["--fault-429", 1], "rateLimited"),
    "a key that is asked for": (["--key", "right"], "authentication"),
}


@needs_endpoint
@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_endpoint_is_told_apart_and_the_service_goes_on(client, endpoint, fault, tmp_path):
    import hone

    arguments, kind = FAULTS[fault]
    base, _ = endpoint(*arguments)
    with pytest.raises(hone.HoneError) as caught:
        client.predict({"question": QUESTION}, program="question -> answer", lm=model(base))
    error = caught.value
    assert (error.code, error.kind) == (-32803, kind)
    assert base in str(error) and "openai/sim" in str(error)
    trace = client.get_trace(error.data["traceId"])
    assert trace["info"]["status"] == "ERROR"
    # Where nothing at all can be asked, an evaluation says so rather than score it; its run says what was tried.
    with pytest.raises(hone.HoneError) as caught:
        client.evaluate("question -> answer", {**DEVSET, "limit": 20}, "numeric_match", lm=model(base))
    assert caught.value.kind == kind
    check_paused(client, caught.value.run_id)
    assert client.predict({"question": QUESTION}, program="question -> answer", lm="simulated")["outputs"]["answer"]


@needs_endpoint
def test_a_key_is_sent_and_never_kept(start, endpoint, tmp_path):
    secret = "sk-very-secret-4711"
    base, statistics = endpoint("--key", secret)
    client = start(tmp_path / "home", env={"HONE_TEST_KEY": secret})
    answer = client.predict(
        {"question": QUESTION}, program="question -> answer", lm=model(base, apiKeyEnv="HONE_TEST_KEY"))
    assert "answer" in answer["outputs"] and statistics()["calls"] == 1
    client.close()
    for file in (tmp_path / "home").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file


@needs_endpoint
def test_a_compile_against_a_dead_endpoint_pauses_its_run(client, endpoint):
    import hone

    base, _ = endpoint("--fault-500", 1)
    with pytest.raises(hone.HoneError) as caught:
        client.compile(
            "question -> answer", OPTIMIZER, TRAINSET, "numeric_match", valset=VALSET, lm=model(base))
    assert caught.value.kind
    check_paused(client, caught.value.run_id)
