"""Package.swift says which modules a module may use; a build that finds others by chance would hide a wrong one."""

import json
import re
import shutil
import subprocess

import pytest

from conftest import ROOT

IMPORT = re.compile(r"^(?:@testable )?(?:public |package |internal )?import (\w+)", re.M)


@pytest.mark.skipif(not shutil.which("swift"), reason="there is no swift here")
def test_every_module_imports_what_it_declares_and_nothing_else():
    done = subprocess.run(["swift", "package", "dump-package"], cwd=ROOT, capture_output=True, check=True, timeout=300)
    targets = json.loads(done.stdout)["targets"]
    names = {target["name"] for target in targets}
    wrong = []
    for target in targets:
        name, folder = target["name"], "Tests" if target["type"] == "test" else "Sources"
        declared = {value[0] for entry in target["dependencies"] for value in entry.values()} & names
        imported = {found for file in (ROOT / folder / name).rglob("*.swift") for found in IMPORT.findall(file.read_text())}
        imported = imported & names - {name}
        wrong += [f"{name} imports {other} without declaring it" for other in imported - declared]
        if target["type"] != "test":
            wrong += [f"{name} declares {other} and does not use it" for other in declared - imported]
    assert not wrong, "\n".join(sorted(wrong))
