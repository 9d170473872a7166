"""The environment that `make` makes: once, whole, and by one at a time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import bootstrap

ROOT = Path(__file__).parent.parent.parent
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import zipfile

def build_editable(folder, settings=None, metadata=None):
    name = "probe-1-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("probe.py", "")
        wheel.writestr("probe-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: probe\\nVersion: 1\\n")
        wheel.writestr("probe-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("probe-1.dist-info/RECORD", "")
    return name
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project that needs no package, so that its environment is made without a network."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "bootstrap.py", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "backend.py").write_text(BACKEND)
    for lock in bootstrap.LOCKS.values():
        (tmp_path / lock).write_text("# nothing\n")
    return tmp_path


class Steps:
    """Commands that are noted and not run. The environment works when `python` says so; `fails` names one that does not."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []
        self.inherited: list[list[int]] = []
        self.version = sys.version
        self.fails = "nothing"

    def __call__(self, step: list[str], **options: Any) -> SimpleNamespace:
        if options.get("capture_output"):
            return SimpleNamespace(stdout=self.version, returncode=0)
        self.ran.append(step)
        self.inherited.append([os.fstat(file).st_ino for file in options.get("pass_fds", ())])
        return SimpleNamespace(returncode=int(self.fails in step))


@pytest.fixture
def steps(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """What `main`, called in this process, would have run on the checkout."""
    (checkout / ".venv").mkdir()
    monkeypatch.setattr(bootstrap, "ROOT", checkout)
    monkeypatch.setattr(bootstrap, "VENV", checkout / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", checkout / ".venv" / "stamp")
    recorder = Steps()
    monkeypatch.setattr(subprocess, "run", recorder)
    return recorder


def begin(checkout: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "scripts/bootstrap.py", "run"], cwd=checkout, stderr=subprocess.PIPE, text=True
    )


def finish(process: "subprocess.Popen[str]") -> str:
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    return said


def test_two_at_once_make_one_environment_and_the_next_finds_it(checkout: Path) -> None:
    said = sorted(finish(process) for process in [begin(checkout), begin(checkout)])
    assert said[0] == ""
    assert "making .venv from requirements.lock" in said[1]
    subprocess.run([checkout / ".venv" / "bin" / "python", "-c", "import probe"], check=True)
    assert finish(begin(checkout)) == ""


def test_what_a_killed_one_left_is_repaired(checkout: Path) -> None:
    killed = begin(checkout)
    assert killed.stderr is not None
    killed.stderr.readline()
    killed.kill()
    killed.communicate()
    assert "made in" in finish(begin(checkout))
    subprocess.run([checkout / ".venv" / "bin" / "python", "-c", "import probe"], check=True)


def test_every_step_holds_the_lock_also_when_only_it_is_left(checkout: Path, steps: Steps) -> None:
    """A kill of the set-up alone leaves its step at work, and the next set-up must not work beside it."""
    bootstrap.main(["run"])
    assert steps.inherited == [[(checkout / ".venv.lock").stat().st_ino]] * len(steps.ran)


def test_an_environment_for_tests_serves_for_running_and_not_the_other_way_round(steps: Steps) -> None:
    assert bootstrap.main(["run"]) == 0
    assert bootstrap.main(["test"]) == 0
    made = len(steps.ran)
    assert bootstrap.main(["run"]) == 0
    assert bootstrap.main(["test"]) == 0
    locks = [Path(word).name.rpartition("-")[0] for step in steps.ran for word in step if word.endswith(".lock")]
    assert list(dict.fromkeys(locks)) == ["requirements", "requirements-dev"]
    assert len(steps.ran) == made


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_makes_it_anew(changed: str, checkout: Path, steps: Steps) -> None:
    bootstrap.main(["run"])
    made = len(steps.ran)
    (checkout / changed).write_text("# changed\n")
    bootstrap.main(["run"])
    assert len(steps.ran) == 2 * made


def test_hashes_are_required_and_nothing_comes_without_one(steps: Steps) -> None:
    bootstrap.main(["run"])
    *packages, itself, _ = steps.ran
    assert packages
    assert all("--require-hashes" in step for step in packages)
    assert {"--no-build-isolation", "--no-deps"} <= set(itself)


def test_the_parts_of_a_lock_are_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    parts = bootstrap.split(ROOT / "requirements-dev.lock", tmp_path)
    assert len(parts) == 3
    said = [part.read_text() for part in parts]
    assert all(text.lstrip()[0].isalpha() for text in said)
    whole = (ROOT / "requirements-dev.lock").read_text()
    assert sorted("".join(said).split("\n")) == sorted(
        [*whole.split("\n"), ""] if whole.endswith("\n") else whole.split("\n")
    )


def test_one_of_another_python_is_cleared_and_one_that_works_is_not(steps: Steps) -> None:
    bootstrap.main(["run"])
    assert not any("--clear" in step for step in steps.ran)
    bootstrap.STAMP.unlink()
    steps.version = "2.7"
    bootstrap.main(["run"])
    assert any("--clear" in step for step in steps.ran)


@pytest.mark.parametrize("fails", ["venv", "--require-hashes", "-e"])
def test_a_step_that_fails_ends_it_and_leaves_no_stamp(
    fails: str, steps: Steps, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.main(["run"])
    bootstrap.STAMP.write_text("of another lock")
    steps.version, steps.fails = "2.7", fails
    assert bootstrap.main(["run"]) == 1
    assert fails in steps.ran[-1]
    assert not bootstrap.STAMP.exists()
    assert ("python3-venv" in capsys.readouterr().err) is (fails == "venv")


def test_an_old_python_is_told(
    steps: Steps, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))
    assert bootstrap.main(["run"]) == 1
    assert "needs Python 3.11 or newer" in capsys.readouterr().err
    assert steps.ran == []


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run", "test"]])
def test_the_usage_is_told(arguments: list[str], steps: Steps, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(arguments) == 2
    assert "run|test" in capsys.readouterr().err
    assert steps.ran == []
