"""The command from a shell: batches, completions and program files."""

import json
import subprocess

import pytest

EVALUATE = {
    "program": "question -> answer", "metric": "numeric_match", "lm": "simulated",
    "devset": {"name": "word-problems", "split": "test", "limit": 5}}


@pytest.fixture
def hone(executable, tmp_path):
    def run(*arguments, input=None, cwd=tmp_path):
        return subprocess.run(
            [executable, *arguments], input=input, cwd=cwd, capture_output=True, text=True, timeout=120)
    return run


def requests():
    return [
        {"method": "evaluate", "params": EVALUATE, "id": "slow"},
        {"method": "listExperiments"},
        {"method": "evaluate", "params": {**EVALUATE, "metric": "exact_mach"}},
        {"method": "evalute", "params": {}, "id": 7},
        {"params": {}},
        {"jsonrpc": "2.0", "id": None, "method": "listRuns", "params": None},
    ]


@pytest.mark.parametrize("form", ["lines", "array", "stdin"])
def test_a_batch_is_answered_in_its_order(hone, tmp_path, form):
    text = json.dumps(requests(), indent=1) if form == "array" else "\n\n".join(map(json.dumps, requests()))
    (tmp_path / "batch").write_text(text)
    done = hone("batch", "-", input=text) if form == "stdin" else hone("batch", "batch", "--jobs", "3")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["slow", 2, 3, 7, 5, None]
    assert answers[0]["result"]["count"] == 5
    assert answers[2]["error"]["code"] == -32602
    assert answers[2]["error"]["data"]["problems"][0]["suggestion"] == "exact_match"
    assert answers[3]["error"]["code"] == -32601 and "evaluate" in answers[3]["error"]["message"]
    assert answers[4]["error"]["code"] == -32600
    assert all(set(answer) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"}) for answer in answers)
    assert done.returncode == 1


def test_the_status_of_a_batch(hone, tmp_path):
    assert hone("batch", "-", input="").returncode == 0
    assert hone("batch", "-", input='{"method": "listExperiments"}\n').returncode == 0
    broken = hone("batch", "-", input='{"method": "listExperiments"}\nnot JSON\n[1]')
    assert broken.returncode == 1
    assert [json.loads(line).get("error", {}).get("code") for line in broken.stdout.splitlines()] == [None, -32700, -32600]
    missing = hone("batch", "nowhere")
    assert missing.returncode != 0 and "cannot be read" in missing.stderr and missing.stdout == ""


def test_a_batch_over_a_socket_is_the_same(hone, service_socket):
    done = hone("batch", "-", "--socket", service_socket, input="\n".join(map(json.dumps, requests())))
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["id"] for answer in answers] == ["slow", 2, 3, 7, 5, None]
    assert answers[3]["error"]["code"] == -32601 and answers[2]["error"]["code"] == -32602
    assert done.returncode == 1


@pytest.mark.parametrize("shell,check", [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])])
def test_completions_are_scripts_that_the_shell_reads(hone, tmp_path, shell, check):
    import shutil

    script = hone("completions", shell)
    assert script.returncode == 0 and "compile" in script.stdout
    if shutil.which(shell):
        (tmp_path / "script").write_text(script.stdout)
        subprocess.run([*check, "script"], cwd=tmp_path, check=True, timeout=60)
    assert hone("completions", "tcsh").returncode != 0


def test_bash_completes_methods_and_runs(hone, executable, tmp_path):
    run = json.loads(hone("call", "evaluate", json.dumps(EVALUATE), "--json").stdout)["runId"]
    (tmp_path / "script").write_text(hone("completions", "bash").stdout)

    def complete(*words):
        line = " ".join(("hone",) + words)
        program = f"""
          PATH={tmp_path}/bin:$PATH; source {tmp_path}/script
          COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=({line} {"''" if words[-1] == "" else ""})
          COMP_CWORD={len(words)}; COMP_TYPE=9; _hone hone {words[-1]!r} {(('hone',) + words)[-2]!r}; printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        (tmp_path / "bin").mkdir(exist_ok=True)
        link = tmp_path / "bin" / "hone"
        if not link.exists():
            link.symlink_to(executable)
        return subprocess.run(
            ["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60).stdout.split()

    assert "listRuns" in complete("call", "list")
    assert run in complete("trace", "")


@pytest.mark.parametrize("place", ["here", "there"])
def test_a_program_file_is_compiled_from_its_own_directory(hone, tmp_path, service_socket, place):
    folder = tmp_path / "programs"
    folder.mkdir()
    rows = [{"question": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(10)]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "few.jsonl").write_text(json.dumps(rows[0]))
    path = folder / "p.hone.json"
    path.write_text(json.dumps({
        "$schema": "x", "program": "question -> answer", "optimizer": {"name": "LabeledFewShot", "k": 2},
        "trainset": {"path": "rows.jsonl"}, "valset": {"path": "rows.jsonl"}, "metric": "numeric_match", "lm": "simulated"}))
    where = ["--socket", service_socket] if place == "there" else []

    compiled = hone("compile", "programs/p.hone.json", "--json", *where)
    assert compiled.returncode == 0, compiled.stderr
    run = json.loads(hone("call", "getRun", json.dumps({"runId": json.loads(compiled.stdout)["runId"]}), *where).stdout)["run"]
    assert run["tags"]["hone.file"] == str(path)
    assert run["params"]["k"] == "2"
    # The valset is what it is evaluated on; an option's path counts from where the option was written.
    assert json.loads(hone("evaluate", "programs/p.hone.json", "--json", *where).stdout)["count"] == 10
    answer = hone("predict", "--program", "programs/p.hone.json", "question=What is 1 + 1?", "--json", *where)
    assert "answer" in json.loads(answer.stdout)["outputs"], answer.stderr
    few = hone("evaluate", "programs/p.hone.json", "--devset", "few.jsonl", "--json", *where)
    assert json.loads(few.stdout)["count"] == 1, few.stderr
