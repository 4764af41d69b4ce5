"""The command and the service as shells use them: inputs from files, requests as tools print them, hostile text."""

import json
import os
import pty
import subprocess

import pytest

from scripted_endpoint import ScriptedEndpoint

PREDICT = '{"module": "Predict", "signature": "question -> answer"}'
LIST = {"jsonrpc": "2.0", "id": 1, "method": "listExperiments"}


def reply(text):
    return f"[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]"


@pytest.fixture
def predict(executable, tmp_path):
    """Runs `hone predict` in a directory of its own: (inputs …) -> what it ended with, and the last prompt."""

    def predict(*inputs, answer="Paris", stdin="", **options):
        with ScriptedEndpoint(lambda _: reply(answer)) as endpoint:
            done = subprocess.run(
                [executable, "predict", "--program", PREDICT, "--lm", json.dumps(endpoint.model()), "--home",
                 str(tmp_path / "home"), *inputs],
                cwd=tmp_path, input=stdin, capture_output=True, text=True, **options)
            prompt = endpoint.bodies[-1]["messages"][-1]["content"] if endpoint.bodies else ""
            return done, prompt

    return predict


LONG = "A long document. " * 20_000


@pytest.mark.parametrize("inputs, stdin", [
    (["-"], json.dumps({"question": LONG})), (["@in.json"], ""), (["question=@text.txt"], ""), (["question=@-"], LONG),
])
def test_inputs_come_from_files_and_from_standard_input(predict, tmp_path, inputs, stdin):
    (tmp_path / "in.json").write_text("\ufeff" + json.dumps({"question": LONG}))
    (tmp_path / "text.txt").write_text(LONG + "\n")
    done, prompt = predict(*inputs, stdin=stdin)
    assert done.returncode == 0, done.stderr
    assert LONG.strip() in prompt and "\ufeff" not in prompt


@pytest.mark.parametrize("inputs, words", [
    (["question=@absent.txt"], ["absent.txt cannot be read", "question=@@absent.txt"]),
    (["@absent.json"], ["absent.json cannot be read"]), (["-"], ["Standard input is not JSON"]),
    (["question=@latin.txt"], ["latin.txt is not text in UTF-8"]), (["+"], ["neither name=value", "@FILE"]),
])
def test_inputs_that_cannot_be_had_are_told(predict, tmp_path, inputs, words):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    done, prompt = predict(*inputs)
    assert done.returncode != 0 and not prompt
    assert all(word in done.stderr for word in words), done.stderr


def test_a_text_may_begin_with_at(predict):
    done, prompt = predict("question=@@someone, are you there?")
    assert done.returncode == 0 and "@someone" in prompt and "@@" not in prompt


HOSTILE = "\x1b]0;title\x07\x1b[2J\x1b[31mred\r\bover\x9b\n\tindented \x1b]52;c;eA==\x07"


def test_a_model_s_text_is_shown_and_not_obeyed(predict, executable, tmp_path):
    done, _ = predict("question=hi", answer=HOSTILE)
    assert done.returncode == 0 and "red" in done.stdout and "\n\tindented" in done.stdout
    assert not [c for c in done.stdout if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]
    # On a terminal, too, where --json means the same as ever.
    for more in ([], ["--json"]):
        with ScriptedEndpoint(lambda _: reply(HOSTILE)) as endpoint:
            leader, follower = pty.openpty()
            process = subprocess.Popen(
                [executable, "predict", "--program", PREDICT, "--lm", json.dumps(endpoint.model()), "--home",
                 str(tmp_path / "home"), "question=hi", *more],
                stdin=follower, stdout=follower, stderr=follower)
            os.close(follower)
            written = b""
            while True:
                try:
                    part = os.read(leader, 4096)
                except OSError:
                    break
                if not part:
                    break
                written += part
            os.close(leader)
            assert process.wait(20) == 0
        assert b"\x1b" not in written and b"\x07" not in written and b"\x08" not in written
        if more:
            assert json.loads(written)["outputs"]["answer"].startswith("\x1b]0;title\x07")


def serve(executable, tmp_path, text):
    done = subprocess.run(
        [executable, "serve", "--home", str(tmp_path / "home")], input=text.encode(), capture_output=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("indent", [2, "\t"])
def test_a_request_over_several_lines_is_one_error_that_says_what_to_do(executable, tmp_path, indent):
    (answer,) = serve(executable, tmp_path, json.dumps(LIST, indent=indent) + "\n")
    assert answer["error"]["code"] == -32700
    assert "jq -c" in answer["error"]["message"] and "Content-Length" in answer["error"]["message"]


def test_a_byte_order_mark_before_the_requests_is_passed_over(executable, tmp_path):
    (answer,) = serve(executable, tmp_path, "\ufeff" + json.dumps(LIST) + "\r\n")
    assert "result" in answer


def test_shutdown_is_answered_though_exit_follows_at_once(executable, tmp_path):
    lines = [{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}, {"jsonrpc": "2.0", "method": "exit"}]
    for number in range(5):
        (answer,) = serve(executable, tmp_path, "".join(json.dumps(line) + "\n" for line in lines))
        assert answer == {"jsonrpc": "2.0", "id": 1, "result": None}
    framed = "".join(f"Content-Length: {len(json.dumps(line))}\r\n\r\n{json.dumps(line)}" for line in lines)
    done = subprocess.run(
        [executable, "serve", "--home", str(tmp_path / "home")], input=framed.encode(), capture_output=True, timeout=60)
    assert b'"result":null' in done.stdout
