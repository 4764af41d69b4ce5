"""The Swift library, as a package of somebody else's uses it."""

import os
import shutil
import subprocess

import pytest

from conftest import ROOT

EXAMPLE = ROOT / "Examples" / "SwiftPackage"


@pytest.mark.skipif(not shutil.which("swift"), reason="there is no swift here")
def test_a_package_outside_the_tree_optimizes_a_program(tmp_path, executable):
    package = tmp_path / "outside"
    shutil.copytree(EXAMPLE, package)
    manifest = package / "Package.swift"
    manifest.write_text(manifest.read_text().replace('path: "../.."', f'path: "{ROOT}"'))
    # What is built already is built the same way here.
    build = ["swift", "build", "--scratch-path", str(ROOT / ".build"), "--product", "Optimize"]
    built = subprocess.run(build, cwd=package, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    ran = subprocess.run([ROOT / ".build" / "debug" / "Optimize"], cwd=package, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    before, after = ran.stdout.split(", run ")[0].splitlines()[-1].split(" -> ")
    assert float(after) > float(before)
    run = ran.stdout.split(", run ")[1].split()[0]

    # The command sees the same run, and reads the file.
    shown = subprocess.run([executable, "runs"], cwd=package, capture_output=True, text=True, check=True).stdout
    assert run in shown and "FINISHED" in shown
    asked = [executable, "predict", "--program", "best.json", "question=What is 2 + 2?", "--lm", "simulated"]
    assert "answer:" in subprocess.run(asked, cwd=package, capture_output=True, text=True, check=True).stdout


def test_the_readme_shows_these_lines():
    lines = (EXAMPLE / "Sources" / "Optimize" / "main.swift").read_text().strip()
    assert lines in (ROOT / "README.md").read_text()
