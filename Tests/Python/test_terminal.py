"""What the command prints: a terminal shows it, and never obeys what a model, a file, a name or another service wrote."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
import tty
import unicodedata

import pytest

from conftest import ROOT, wait_until
from fake import FakeService
from scripted_endpoint import Refusal, ScriptedEndpoint

# A title, a cleared screen, a line that is written over, a colour in one C1 character, text from right to left.
HOSTILE = "evil\x1b]0;own\x07\x1b[2J\rPWNED\x9b31m\u202egnp\u2066\x7f"
SHOWN = "evil␛]0;own␇␛[2J␍PWNED\\u{9b}31m\\u{202e}gnp\\u{2066}␡"
HIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Terminal:
    """Runs a command on a pseudo-terminal that adds nothing of its own."""

    def __init__(self, executable, directory):
        self.executable = executable
        self.directory = directory

    def start(self, *arguments, columns=80):
        mine, theirs = pty.openpty()
        tty.setraw(theirs)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [self.executable, *arguments], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
        os.close(theirs)
        written = []

        def read():
            while True:
                try:
                    piece = os.read(mine, 65536)
                except OSError:
                    break
                if not piece:
                    break
                written.append(piece)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()

        def end():
            process.wait(timeout=60)
            reader.join(timeout=20)
            os.close(mine)
            return b"".join(written).decode()

        return process, end, written, mine

    def run(self, *arguments, columns=80):
        _, end, _, _ = self.start(*arguments, columns=columns)
        return end()


@pytest.fixture
def terminal(executable, tmp_path):
    return Terminal(executable, tmp_path)


@pytest.fixture
def fake(tmp_path_factory):
    """Makes services that answer as a script says, at sockets with short paths."""
    def fake(script):
        path = tmp_path_factory.mktemp("f") / "s"
        FakeService(path, script)
        return str(path)

    return fake


def progress(service, params):
    service.send({"jsonrpc": "2.0", "method": "$/progress", "params": params})


def harmless(text):
    assert not HIDDEN.search(text), ascii(text)
    assert "\rPWNED" not in text, ascii(text)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def commands(executable):
    help = subprocess.run([executable, "--help"], capture_output=True, text=True, timeout=60).stdout
    return re.findall(r"^  ([a-z]+)  +\S", help.split("SUBCOMMANDS:")[1], re.M)


def test_arguments_that_are_repeated_are_shown_in_every_command(terminal, executable):
    names = commands(executable)
    assert {"compile", "evaluate", "runs", "trace", "serve", "mcp", "export", "keys"} <= set(names)
    texts = [terminal.run(name, "--" + HOSTILE) for name in names]
    for text in texts:
        harmless(text)
    # Some ask for a missing argument first.
    assert sum(SHOWN in text for text in texts) >= len(texts) / 2
    harmless(terminal.run(HOSTILE))
    for arguments in [
        ("optimizers", HOSTILE), ("metrics", HOSTILE), ("completions", HOSTILE), ("import", HOSTILE), ("export", HOSTILE),
        ("keys", "allow", HOSTILE, "x"), ("keys", "forget", HOSTILE), ("doctor", "--socket", HOSTILE), ("ui", "--host", HOSTILE),
        ("serve", "--log-level", HOSTILE), ("serve", "--http", HOSTILE), ("batch", HOSTILE), ("compile", HOSTILE),
        ("call", HOSTILE), ("call", "getRun", "{" + HOSTILE), ("runs", "--experiment", HOSTILE), ("trace", HOSTILE),
        ("resume", HOSTILE), ("watch", HOSTILE), ("cancel", HOSTILE), ("predict", "--program", HOSTILE),
        ("evaluate", "--program", "a -> b", "--metric", HOSTILE, "--devset", HOSTILE, "--lm", HOSTILE),
        ("runs", "--home", HOSTILE, "--socket", HOSTILE),
    ]:
        harmless(terminal.run(*arguments))


def test_what_a_model_says_and_what_a_run_is_called(terminal, executable, tmp_path):
    rows = [{"question": f"{n}?{HOSTILE}", "answer": "4"} for n in range(2)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    with ScriptedEndpoint(lambda body: f"[[ ## answer ## ]]\nfour{HOSTILE}\nand more\n\n[[ ## completed ## ]]") as endpoint:
        lm = json.dumps(endpoint.model())
        said = terminal.run("predict", "--program", "question -> answer", "--module", "Predict", "--lm", lm, f"question=2 + 2?{HOSTILE}")
        harmless(said)
        assert f"answer: four{SHOWN}\nand more\n" in said
        trace = re.search(r"tr-\w+", said)[0]
        work = ("--program", "question -> answer", "--module", "Predict", "--metric", "exact_match", "--lm", lm, "--run-name", HOSTILE)
        evaluated = terminal.run("evaluate", *work, "--devset", "rows.json")
        harmless(evaluated)
        assert "score 0.00" in evaluated
        whole = terminal.run("evaluate", *work, "--devset", "rows.json", "--json")
        harmless(whole)
        compiled = terminal.run("compile", *work, "--trainset", "rows.json", "--optimizer", "LabeledFewShot")
        harmless(compiled)
    run = re.search(r"^run (\w{32})", evaluated, re.M)[1]
    result = json.loads(whole[whole.index("{\n"):])
    assert all(HOSTILE in row["outputs"]["answer"] for row in result["results"])
    assert SHOWN in terminal.run("runs")
    for arguments in [
        ("runs",), ("runs", "--json"), ("trace", trace), ("trace", trace, "--full"), ("trace", trace, "--json"), ("trace", run),
        ("watch", run), ("resume", run), ("cancel", run), ("watch", run, "--json"), ("call", "getRun", json.dumps({"runId": run})),
        ("doctor",), ("export", run), ("predict", "--program", run, "question=x", "--lm", "simulated"),
    ]:
        text = terminal.run(*arguments)
        harmless(text)
    (tmp_path / "calls.jsonl").write_text(json.dumps({"method": "getTrace", "params": {"traceId": trace}}))
    batch = terminal.run("batch", "calls.jsonl")
    harmless(batch)
    # JSON says the same after all.
    assert any(HOSTILE in text for text in strings(json.loads(batch)))
    # Exported runs are data: the same bytes in a pipe and a file; a terminal gets them escaped.
    piped = subprocess.run([executable, "export", run], cwd=tmp_path, capture_output=True, timeout=60)
    subprocess.run([executable, "export", run, "-o", "file"], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert piped.stdout == (tmp_path / "file").read_bytes() and "\x9b".encode() in piped.stdout
    shown = [line for line in terminal.run("export", run).splitlines() if line.startswith("{")]
    assert [json.loads(line) for line in shown] == [json.loads(line) for line in piped.stdout.decode().splitlines()]


def test_what_an_endpoint_answers_with_an_error(terminal):
    def script(body):
        raise Refusal(400, f"no\nhone: all is well{HOSTILE}")

    with ScriptedEndpoint(script) as endpoint:
        text = terminal.run("predict", "--program", "question -> answer", "--lm", json.dumps(endpoint.model()), "question=x")
    harmless(text)
    # What looks like a message of Hone's own does not begin a line.
    assert "all is well" in text and "\nhone: all is well" not in text


@pytest.mark.parametrize("method,arguments", [
    ("watchRun", ("watch", "r")), ("resumeRun", ("resume", "r")), ("getRun", ("call", "getRun", "{}")), ("cancelRun", ("cancel", "r")),
    ("evaluate", ("evaluate", "--program", "a -> b")), ("compile", ("compile", "--program", "a -> b")), ("listRuns", ("runs",)),
    ("predict", ("predict", "--program", "a -> b")), ("getTrace", ("trace", "tr-1"))])
def test_what_another_service_answers(terminal, fake, method, arguments):
    def succeed(service, request):
        for _ in range(3):
            progress(service, {"token": "cli", "value": {
                "kind": "report", "message": HOSTILE, "percentage": 5, "data": {"phase": HOSTILE, "runId": HOSTILE}}})
        service.reply(request, {
            "runId": HOSTILE, "status": HOSTILE, "warnings": [HOSTILE], "outputs": {HOSTILE: HOSTILE}, "traceId": HOSTILE,
            "error": {"message": HOSTILE, "kind": HOSTILE}, "resumeCommand": HOSTILE,
            "runs": [{"runId": HOSTILE, "name": HOSTILE, "status": HOSTILE, "startTime": HOSTILE, "resumeCommand": HOSTILE, "tags": {"hone.status": HOSTILE}}],
            "info": {"traceId": HOSTILE, "name": HOSTILE, "status": HOSTILE},
            "spans": [{"spanId": "1", "name": HOSTILE, "type": HOSTILE, "statusMessage": HOSTILE, "inputs": {"x": HOSTILE}}]})

    def fail(service, request):
        service.fail(request, -32000, HOSTILE, {
            "kind": HOSTILE, "remedy": HOSTILE, "cause": HOSTILE, "problems": [{"path": HOSTILE, "message": HOSTILE}]})

    for script in (succeed, fail):
        for more in ((), ("--json",)):
            text = terminal.run(*arguments, *more, "--socket", fake(script))
            harmless(text)
            assert "evil" in text


def test_what_the_service_logs(terminal, tmp_path):
    path = tmp_path / "evil\x1b[2J\x9b1m"
    home = tmp_path / "s"
    process, end, written, _ = terminal.start("serve", "--socket", str(path), "--home", str(home))
    wait_until(lambda: b"Listening" in b"".join(written))
    # Who listens can be ended at once.
    process.send_signal(signal.SIGTERM)
    text = end()
    harmless(text)
    assert "evil␛[2J\\u{9b}1m" in text


def width(character):
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def rows(text, columns):
    """The lines of the screen that the text takes, as a terminal with so many columns would write it."""
    lines, place = 1, 0
    for character in text:
        if character == "\n":
            lines, place = lines + 1, 0
        elif character == "\r":
            place = 0
        else:
            # Some terminals go on at once behind the last column: it counts as another line here.
            place += width(character)
            if place >= columns:
                lines, place = lines + 1, 0
    return lines


PHASES = [
    "search", "proposing instructions for the first of several predictors " * 4, "日本語の長い段階の名前" * 8, "👩‍🔬🇫🇷👍" * 30, "e\u0301" * 100, HOSTILE * 3,
    "ｆｕｌｌ", "x\ny\tz"]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_progress_never_takes_more_than_one_line(terminal, fake, columns):
    def script(service, request):
        for number, phase in enumerate(PHASES):
            progress(service, {"token": "cli", "value": {
                "kind": "report", "message": phase, "percentage": 12 * number,
                "data": {"phase": phase, "trial": 4 * number, "score": 61.04, "calls": 1234567, "tokens": 98765432, "secondsLeft": 12345}}})
            time.sleep(0.12)
        service.reply(request, {"done": True})

    text = terminal.run("call", "watchRun", "{}", "--socket", fake(script), columns=columns)
    harmless(text)
    drawn, result = text[:text.index("{\n")], text[text.index("{\n"):]
    assert drawn.count("\r") >= 4 and "%" in drawn
    assert rows(drawn, columns) == 1, ascii(drawn)
    # What is printed next begins on an empty line.
    assert drawn.endswith("\r") and not drawn.split("\r")[-2].strip()
    assert json.loads(result) == {"done": True}
    if columns >= 80:
        assert "1234567 calls" in drawn


def test_progress_follows_the_window(terminal, fake):
    go_on = threading.Event()

    def script(service, request):
        report = {"kind": "report", "message": "x", "percentage": 50, "data": {"phase": "a phase of some length " * 20}}
        for _ in range(60):
            progress(service, {"token": "cli", "value": report})
            time.sleep(0.05)
            if go_on.is_set():
                break
        time.sleep(0.1)
        for _ in range(4):
            progress(service, {"token": "cli", "value": report})
            time.sleep(0.1)
        service.reply(request, {})

    _, end, written, mine = terminal.start("call", "watchRun", "{}", "--socket", fake(script), columns=100)
    wait_until(lambda: b"%" in b"".join(written))
    before = len(b"".join(written))
    fcntl.ioctl(mine, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
    go_on.set()
    text = end()
    assert rows(text[:before].split("\r")[1], 100) == 1
    last = [line for line in text.split("\r") if "%" in line][-1]
    assert rows(last, 30) == 1, ascii(last)


def trial(number, verdict, change):
    note = {"number": number, "parents": [3], "change": change, "verdict": verdict, "gain": 6.0, "pairs": 41, "reason": "not ahead after 40 rows"}
    return {
        "number": number, "name": f"eval_{number}", "kind": "eval", "score": 50.0, "count": 41, "failed": 0, "coverage": 1, "interval": [35, 65],
        "replies": {"count": 41, "unreadable": 0, "cut": 0, "repaired": 0}, "bestSoFar": 60.0, "coordinates": {}, "candidate": note}


def test_each_candidate_is_a_line_in_words_except_probes(terminal, fake):
    def script(service, request):
        token = request["params"]["partialResultToken"]
        for one in [trial(7, "dropped", "instruction of answer"), trial(8, "probe", "rules 1, 2"), trial(9, "kept", HOSTILE)]:
            progress(service, {"token": token, "value": {"trial": one}})
        service.reply(request, {"done": True})

    text = terminal.run("call", "watchRun", "{}", "--socket", fake(script), columns=400)
    harmless(text)
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("trial ")]
    end = "; scored 50.00 on 41 rows, best so far 60.00"
    assert lines == [
        f"trial 7: candidate 7 from 3, instruction of answer: +6.0 on 41 rows, dropped (not ahead after 40 rows){end}",
        f"trial 9: candidate 9 from 3, {SHOWN}: +6.0 on 41 rows, kept (not ahead after 40 rows){end}"]


def test_a_long_search_is_told_by_what_counts(executable, tmp_path):
    def told(*arguments):
        done = subprocess.run(
            [executable, *arguments, "--home", "s"], capture_output=True, text=True, timeout=120, cwd=tmp_path)
        return done.stdout, [line for line in done.stdout.splitlines() if re.match(r"\d+ +eval_", line)]

    shown, rows = told(
        "compile", "--program", "question -> answer", "--optimizer", "auto", "--trainset", "word-problems:train", "--valset",
        "word-problems:val", "--metric", "numeric_match", "--lm", "simulated", "--max-calls", "500", "--seed", "1")
    run = re.search(r"^run (\w+)$", shown, re.M)[1]
    result = json.loads(subprocess.run(
        [executable, "watch", run, "--json", "--home", "s"], capture_output=True, text=True, timeout=60, cwd=tmp_path).stdout)
    trials = result["trials"]
    assert len(trials) > 40
    numbers = [int(row.split()[0]) for row in rows]
    kept = {one["number"] for one in trials if one["candidate"]["verdict"] == "kept"}
    last = {one["number"] for one in trials[-10:]}
    assert set(numbers) == kept | last | {1} and numbers == sorted(numbers)
    left = len(trials) - len(rows)
    assert f"{left} more trials ({left} probes) are not shown; --all-trials shows them" in shown
    assert result["summary"] in shown
    assert any(re.search(r"\d+ from 0, .*estimated [0-9.]+, kept \(", row) for row in rows)
    # The whole table, of the same run.
    shown, rows = told("watch", run, "--all-trials")
    assert [int(row.split()[0]) for row in rows] == [one["number"] for one in trials] and "not shown" not in shown


def test_output_that_cannot_be_written_is_a_failure(executable, tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run([executable, "metrics"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and "cannot be written" in done.stderr
    done = subprocess.run(f"{executable} metrics | true", shell=True, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""


def test_one_writer_has_the_standard_streams():
    """Text that another way leads out is not looked through."""
    ways = re.compile(r"(?<![\w.])(?:debugP|p)rint\(|\bfputs\(|\bfputc\(|\bputs\(|\bfwrite\(|\bfprintf\(|\bprintf\(|FileHandle\.standard(?:Output|Error)|(?<=[ (])\.standard(?:Output|Error)\b|StreamLogHandler")
    wrong = []
    for file in (ROOT / "Sources").rglob("*.swift"):
        if "Terminal" in file.parent.parts:
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if not line.strip().startswith("///") and ways.search(line) and "importlib" not in line:
                wrong.append(f"{file}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)
