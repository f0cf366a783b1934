"""The measurements of token health: the labelled population is judged right, and the time beside the floor is printed."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mcp_daan.tokens.verdicts import VERDICTS

ROOT = Path(__file__).parents[2]


def bench(name: str) -> ModuleType:
    """The script as a module."""
    found = importlib.util.spec_from_file_location(f"bench_{name}", ROOT / "bench" / f"{name}.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


verdicts = bench("verdicts")


def test_the_population_has_situations_enough_for_every_verdict() -> None:
    """Fifty and more, and few of them hard."""
    assert len(verdicts.SITUATIONS) >= 50
    assert {each.verdict for each in verdicts.SITUATIONS} == set(VERDICTS)
    assert sum(each.hard for each in verdicts.SITUATIONS) <= 2


@pytest.mark.parametrize("dialect", verdicts.DIALECTS, ids=lambda dialect: dialect.name)
def test_every_planted_situation_gets_the_verdict_that_it_deserves(dialect: object) -> None:
    """In each dialect; only what the table alone cannot tell may be judged otherwise."""
    wrong = {
        (situation.name, verdict)
        for situation, verdict in verdicts.judged(dialect, seed=7, times=2)
        if verdict != situation.verdict and not situation.hard
    }

    assert wrong == set()


@pytest.mark.parametrize("arguments", [["--form", form] for form in bench("tokens").FORMS] + [["--key", "wrong"]])
def test_the_time_beside_the_floor_is_printed_for_anyone(arguments: list[str]) -> None:
    """With its range and the peak of memory."""
    command = [sys.executable, "bench/tokens.py", "--connections", "300", "--times", "2", *arguments]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()

    assert len(said) == 2
    assert re.fullmatch(r" +300 +[\d.]+ s +[\d.]+ s +[\d.]+ +[\d.]+ - [\d.]+ +\d+ MB", said[1])


def test_the_accuracy_is_printed_for_anyone() -> None:
    """By dialect and as a whole, with what went wrong."""
    command = [sys.executable, "bench/verdicts.py", "--times", "1", "--wrong"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert re.search(r"situations in all +\d+ of +\d+  9\d\.\d%", said)
    assert "(hard)" in said
