"""The examples of the Python package and of its page, run as they stand."""

import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT

PACKAGE = ROOT / "Clients" / "python"


@pytest.fixture
def run(executable, tmp_path, shared_services):
    """Runs Python in a directory of its own and gives what it wrote."""
    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-W", "error", *map(str, arguments)], cwd=tmp_path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=300,
            env={**os.environ, "HONE": executable, "PYTHONPATH": str(PACKAGE)})
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_pages_examples_run_one_after_the_other(run, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (PACKAGE / "README.md").read_text("utf-8"), re.S)
    assert len(blocks) == 8
    script = tmp_path / "page.py"
    script.write_text("\n".join(f"{block}\nprint('-- end of {number}')\n" for number, block in enumerate(blocks)))
    parts = re.split(r"-- end of \d\n", run(script))
    assert len(parts) == 9 and all(parts[:-1])
    assert "Compiled: " in parts[0] and "MIPROv2" not in parts[0]
    assert "Event(title=" in parts[1]
    assert parts[4].startswith("BootstrapFewShotWithRandomSearch ")
    assert "Trace tr-" in parts[4] and "Predict" in parts[4]
    assert parts[5].splitlines()[-1] == "numeric_match"
    assert parts[6].count("tr-") == 3
    assert parts[7].startswith("Estimate: ") and "bootstrap" in parts[7]
    run_line, watched, again = parts[7].splitlines()[-3:]
    assert len(run_line.split()[0]) == 32 and watched == again


def test_the_tutorial_finds_a_better_program_and_shows_how(run, tmp_path):
    out = run(PACKAGE / "examples" / "tutorial.py", "--home", tmp_path / "home")
    best, baseline = (float(re.search(rf"{word} ([\d.]+)", out)[1]) for word in ("best", "baseline"))
    assert best >= baseline + 20
    assert "DSPy" not in out and "eval_full_0" in out and "· · LM.__call__" in out
    assert out.splitlines()[-1] == "195"


def test_a_program_with_a_loop_and_an_if_is_optimized(run, tmp_path):
    out = run(PACKAGE / "examples" / "control_flow.py", "--home", tmp_path / "home")
    before, after = map(float, re.search(r"Unseen problems: ([\d.]+) before, ([\d.]+) after", out).groups())
    assert after >= before + 20
    assert "solve.predict: " in out and "repair.predict: " in out
    assert out.splitlines()[-1].startswith("195 (trace tr-")
    assert (tmp_path / "careful_solver.json").exists()
