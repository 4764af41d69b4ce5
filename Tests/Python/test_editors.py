"""Emacs, Neovim, Vim and Visual Studio Code, as people use them: the editors are real (Visual Studio Code's API is
stood in for), and so is the service. What each of them saw comes as facts from the scripts in Tests/Editors."""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time

import pytest

from conftest import ROOT

SCRIPTS = ROOT / "Tests" / "Editors"

EDITORS = {
    "emacs": ["emacs", "-nw", "-Q", "-l", str(SCRIPTS / "emacs.el")],
    "neovim": ["nvim", "-u", "NONE", "-n", "-S", str(SCRIPTS / "neovim.lua")],
    "vim": ["vim", "-N", "-u", "NONE", "-n", "-S", str(SCRIPTS / "vim.vim")],
    "vscode": ["node", str(SCRIPTS / "vscode.js")],
}

WORDS = """{
  "program": "question -> answer",
  "optimizer": {"name": "MIPROv2", "auto": "light"},
  "trainset": {"name": "word-problems", "split": "train", "limit": 48},
  "valset": {"name": "word-problems", "split": "val", "limit": 48},
  "metric": "numric_match",
  "lm": "simulated",
  "seed": 1
}
"""

# Long enough to be cancelled on any machine.
SLOW = """{
  "program": "question -> answer",
  "optimizer": {"name": "MIPROv2", "auto": null, "num_candidates": 12, "num_trials": 9000, "minibatch": false},
  "trainset": {"name": "word-problems", "split": "train"},
  "valset": {"name": "word-problems", "split": "val"},
  "metric": "numeric_match",
  "lm": "simulated",
  "concurrency": 1,
  "seed": 1
}
"""

BROKEN = WORDS.replace('"MIPROv2"', '"MIPRO2"').replace('"numric_match"', '{"name": "exact_match", "field": "reply"}')

# Things that people get wrong.
FAULTY = """{
  "program": "question answer",
  "metric": "exact_match",
  "devset": {"path": "not-there.jsonl"},
  "lm": "simulated"
}
"""

# Sends a key to this machine, which an editor asks about; the variable is not set, so that nothing is sent.
KEYS = """{
  "program": "question -> answer",
  "devset": {"name": "word-problems", "split": "val", "limit": 2},
  "metric": "numeric_match",
  "lm": {"model": "m", "apiBase": "http://127.0.0.1:9/v1", "apiKeyEnv": "TEAM_KEY"}
}
"""

# What comes back from a model may try to pass itself off as something else.
EVIL = "a\u001b]0;title\u0007\u001b[31m\u202ered\n* Not a heading\n\u0085b"
HOSTILE = json.dumps({
    "program": "question -> answer", "metric": "exact_match", "lm": "simulated",
    "devset": [{"question": EVIL, "answer": EVIL}]}, indent=2)


def run_in_terminal(command, directory, environment, seconds):
    """Runs a program in a terminal of its own; gives the text it showed last. Where it waits for Enter, it gets it."""
    process_id, terminal = pty.fork()
    if process_id == 0:
        os.chdir(directory)
        os.execvpe(command[0], command, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    output, end = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    output += os.read(terminal, 65536)
                except OSError:
                    break
                if b"Press ENTER" in output[-200:]:
                    os.write(terminal, b"\r")
        else:
            pytest.fail(f"{command[0]} did not come to an end. It showed: {shown(output)}")
    finally:
        os.close(terminal)
        try:
            os.kill(process_id, 9)
        except ProcessLookupError:
            pass
        os.waitpid(process_id, 0)
    return shown(output)


def shown(output):
    """The last of what a program showed, without the terminal's commands."""
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()].|[=>])", "", output.decode(errors="replace"))[-1500:]


WAYS = [(editor, way) for way in ("own", "attached") for editor in EDITORS]


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def facts(request, executable, tmp_path_factory):
    """What an editor saw in the course of one session, with a service of its own or one that it shares."""
    editor, way = request.param
    command = EDITORS[editor]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    if editor == "vim":
        version = subprocess.run(["vim", "--version"], capture_output=True, text=True).stdout
        if not {"+channel", "+popupwin", "+textprop"} <= set(version.split()):
            pytest.skip("this vim is built without channels, popups or text properties")
    directory = tmp_path_factory.mktemp(editor) / "a project"
    (directory / ".hone").mkdir(parents=True)
    for name, text in (("words", WORDS), ("slow", SLOW), ("broken", BROKEN), ("hostile", HOSTILE), ("faulty", FAULTY), ("keys", KEYS)):
        (directory / f"{name}.hone.json").write_text(text)
    (directory / "elsewhere" / ".hone").mkdir(parents=True)
    (directory / "elsewhere" / "words.hone.json").write_text(WORDS)
    report = directory / "facts.json"
    sockets = tmp_path_factory.mktemp("s")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HONE")}
    environment |= {
        "HONE": executable, "FACTS": str(report), "CLIENT": str(ROOT / "Clients" / editor), "TERM": "xterm-256color",
        "ATTACH": "yes" if way == "attached" else "no", "XDG_RUNTIME_DIR": str(sockets),
        "HOME": str(directory), "XDG_CONFIG_HOME": str(directory / "config"), "XDG_STATE_HOME": str(directory / "state"), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    try:
        screen = run_in_terminal(command, directory, environment, 120)
        locks = list(sockets.rglob("*.sock.lock"))
        # The shared service, joined, or started for what was left to go on by itself.
        assert len(locks) == 1
    finally:
        for lock in sockets.rglob("*.sock.lock"):
            os.kill(int(lock.read_text()), signal.SIGTERM)
    assert report.exists(), f"{editor} came to no end of its steps: {screen}"
    seen = json.loads(report.read_text(errors="replace"))
    assert "failure" not in seen, f"{seen['failure']}\nsaid: {seen['messages']}"
    return seen


def test_a_problem_is_shown_where_it_is_and_goes_when_it_is_mended(facts):
    assert [problem["line"] for problem in facts["problems"]] == [5]
    assert "numric_match" in facts["problems"][0]["message"]
    assert facts["corrected"][5] == '  "metric": "numeric_match",'


def test_a_bad_signature_and_a_missing_file_are_shown_while_one_types(facts):
    lines = {problem["line"]: problem["message"] for problem in facts["faults"]}
    assert "->" in lines[1]
    assert "not-there.jsonl" in lines[3]


def test_names_are_completed(facts):
    assert any("numeric_match" in name for name in facts["completion"])


def test_a_compile_shows_progress_and_its_outcome(facts):
    assert facts["running"]
    assert len(set(facts["progress"])) > 2
    assert any(re.search(r"\d+ ?%|^\d+ ", report) and "trial" in report for report in facts["progress"])
    outcome = r"words\.hone\.json: \d+\.\d\d, was \d+\.\d\d, run …[0-9a-f]{8} \(simulated model\)"
    assert re.search(outcome, facts["outcome"])


def test_hover_shows_the_last_score(facts):
    score = re.search(r"(\d+\.\d\d), was", facts["outcome"]).group(1)
    assert score.rstrip("0").rstrip(".") in facts["hover"]


def test_a_compile_is_cancelled(facts):
    assert "slow.hone.json" in facts["cancelled"] and "cancelled" in facts["cancelled"]
    assert facts["left"] == 0


def test_an_estimate_tells_calls_cost_and_phases(facts):
    text = "\n".join(facts["estimate"])
    assert re.search(r"Compiling slow\.hone\.json takes [\d,]+ to [\d,]+ calls", text)
    assert "cost: $0" in text and "phases" in text and "taken for granted" in text
    if "estimate_visible" in facts:
        assert facts["estimate_visible"] < len(facts["estimate"])


def test_a_compile_goes_on_by_itself_is_watched_and_cancelled_from_the_list(facts):
    run = re.search(r"run (…[0-9a-f]{8})", facts["detached"]).group(1)
    assert "slow.hone.json" in facts["watched"] and "continues" in facts["watched"]
    assert sum("RUNNING" in line and "candidate" not in line for line in facts["under_way"]) == 1
    assert run in facts["stopped"]
    assert not any("RUNNING" in line for line in facts["after_stop"])
    assert sum("CANCELLED" in line for line in facts["after_stop"]) == 2


def test_an_error_says_what_to_do_and_shows_no_stack(facts):
    assert 'Did you mean "MIPROv2"?' in facts["error"]
    assert "metric.field" in facts["error"] and "reply" in facts["error"]
    assert not re.search(r"\.(js|lua|el|vim|swift):\d+|Traceback|backtrace", facts["error"])


def test_runs_are_a_tree_that_unfolds(facts):
    assert any("compile" in line or re.match(r"\S+ \d+\.\d\d  FINISHED", line) for line in facts["runs"])
    if "runs_visible" in facts:
        assert facts["unfolded_visible"] > facts["runs_visible"]
    else:
        assert len(facts["unfolded"]) > len(facts["runs"])
        assert not any("eval_full_0" in line for line in facts["runs"])
    assert any("eval_full_0" in line for line in facts["unfolded"])


def test_a_run_opens(facts):
    assert "FINISHED" in facts["run"][0]
    assert any(re.search(r"optimizer: MIPROv2", line) for line in facts["run"])
    assert any(re.search(r"baseline_score: \d+", line) for line in facts["run"])


def test_a_trace_opens_and_folds(facts):
    text = "\n".join(facts["trace"])
    assert "ChainOfThought" in text and "question" in text and "[[ ## answer ## ]]" in text
    assert 0 < facts["folded"] < 4 < facts["open"]


def test_what_a_model_wrote_is_harmless(facts):
    text = "\n".join(facts["hostile"])
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "␛" in text and "<U+202E>" in text and "<U+0085>" in text
    assert not any(line.startswith("* Not a heading") for line in facts["hostile"])


def test_the_best_program_is_loaded_into_the_file_and_undone(facts):
    loaded = json.loads(facts["loaded"])
    assert isinstance(loaded["program"], dict) and loaded["program"]["state"]
    assert loaded["metric"] == "numeric_match"
    assert re.search(r"loaded the program of run …[0-9a-f]{8}", facts["told"])
    assert facts["undone"][1] == '  "program": "question -> answer",'


def test_two_programs_are_compared(facts):
    assert facts["differences"] > 0
    assert facts["left-text"] != facts["right-text"]
    assert "question -> " in facts["left-text"] and "question -> " in facts["right-text"]


def test_a_key_is_asked_about_once_and_can_be_taken_back(facts):
    refused, allowed = facts["keys"]
    assert "hone keys allow TEAM_KEY 127.0.0.1:9" in " ".join(refused.split()) and "not set" in allowed
    assert len(facts["questions"]) == 2
    assert all("keys.hone.json" in one and "TEAM_KEY" in one and "127.0.0.1:9" in one for one in facts["questions"])
    assert "TEAM_KEY to 127.0.0.1:9" in facts["forgotten"]


def test_a_service_that_died_is_started_again(facts):
    assert re.search(r"words\.hone\.json: \d+\.\d\d on 48 examples", facts["revived"])


def test_without_the_program_a_message_says_what_to_do(facts):
    assert 'no program "/nowhere/hone"' in facts["missing"] and "PATH" in facts["missing"]


def test_the_extension_has_the_commands_that_it_declares(facts):
    assert facts.get("missing commands", []) == []


def test_the_emacs_package_compiles_without_a_warning(tmp_path):
    if not shutil.which("emacs"):
        pytest.skip("emacs is not installed")
    shutil.copytree(ROOT / "Clients" / "emacs", tmp_path / "hone")
    files = sorted(map(str, (tmp_path / "hone").glob("*.el")))
    done = subprocess.run(
        ["emacs", "-Q", "--batch", "-L", str(tmp_path / "hone"), "--eval", "(setq byte-compile-error-on-warn t)",
         "-f", "batch-byte-compile", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_function_of_the_vim_plugin_compiles(tmp_path):
    if not shutil.which("vim"):
        pytest.skip("vim is not installed")
    plugin = tmp_path / "plugin"
    shutil.copytree(ROOT / "Clients" / "vim", plugin)
    scripts = sorted((plugin / "autoload").rglob("*.vim"))
    for script in scripts:
        script.write_text(script.read_text() + "\ndefcompile\n")
    steps = tmp_path / "steps.vim"
    sourced = [f"runtime {script.relative_to(plugin)}" for script in scripts]
    steps.write_text("\n".join(
        [f"set runtimepath^={plugin}", f"redir! > {tmp_path}/said", *sourced, "redir END", "qall!"]))
    subprocess.run(
        ["vim", "-N", "-u", "NONE", "-n", "-es", "-S", str(steps)], stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert (tmp_path / "said").read_text().strip() == ""
