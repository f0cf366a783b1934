"""The house is kept: sizes, one direction, words that are not used."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import mcp_daan

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "mcp_daan").rglob("*.py"))
TESTS = sorted(path for folder in ("tests", "bench") for path in (ROOT / folder).rglob("*.py"))
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|bases?|common|impl|handlers?)(_|$)")


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    """A file past that is two rooms."""
    assert [
        str(path.relative_to(ROOT))
        for path in SOURCES + TESTS
        if len(path.read_text(encoding="utf-8").splitlines()) > 400
    ] == []


def test_no_function_is_longer_than_fifty_lines() -> None:
    """A function past that does two things."""
    long = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in SOURCES
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno >= 50
    ]

    assert long == []


def test_modules_are_named_for_what_they_hold() -> None:
    """`knowledge/base.py` is the knowledge base; nothing else is called base."""
    named = [str(path.relative_to(ROOT)) for path in SOURCES if FORBIDDEN_NAMES.search(path.stem)]

    assert named == ["mcp_daan/knowledge/base.py"]


def test_every_module_and_every_test_says_what_it_is() -> None:
    """One sentence each."""
    silent = [
        str(path.relative_to(ROOT))
        for path in SOURCES + TESTS
        if path.name != "__init__.py" and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    silent += [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in TESTS
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


def test_no_test_sleeps_skips_or_replaces_our_own_code() -> None:
    """What a test covers is real; only a bound in capitals may be set, and the system made to fail."""
    forbidden = re.compile(r"time\.sleep\(|pytest\.skip|mark\.(skip|xfail)|MagicMock|mock\.patch")
    found = [
        str(path.relative_to(ROOT))
        for path in TESTS
        if path != Path(__file__) and forbidden.search(path.read_text("utf-8"))
    ]

    assert found == []
    assert [each for path in TESTS if path != Path(__file__) for each in replaced(path.read_text("utf-8"))] == []


def replaced(text: str) -> list[str]:
    """What *text* sets with monkeypatch that is neither a bound of ours nor of the system."""
    targets = re.findall(r"""monkeypatch\.setattr\(\s*(?:["']([\w.]+)["']|([\w.]+),\s*["'](\w+)["'])""", text)
    names = [whole or f"{owner}.{name}" for whole, owner, name in targets]
    system = ("os.", "sys.", "tempfile.", "publishing.fcntl.")
    return [name for name in names if not name.startswith(system) and not name.rsplit(".", 1)[-1].isupper()]


def test_replacing_our_own_code_is_seen_in_either_form() -> None:
    """By its dotted name and through the module."""
    text = 'monkeypatch.setattr("mcp_daan.d1.apart.told", x) monkeypatch.setattr(apart, "told", x) monkeypatch.setattr(apart, "GRACE_SECONDS", 60)'

    assert replaced(text) == ["mcp_daan.d1.apart.told", "apart.told"]


def test_the_version_is_the_same_everywhere() -> None:
    """pyproject.toml, the package and server.json."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    server = re.findall(r'"version": "([^"]+)"', (ROOT / "server.json").read_text(encoding="utf-8"))

    assert {project, mcp_daan.__version__, *server} == {project}


def test_nothing_in_the_repository_names_a_machine_or_an_index() -> None:
    """Paths of one machine and hosts of package indexes have no place in a commit."""
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    bad = re.compile(rb"/(?:work|farm|root)/|--(?:extra-)?index-url|\"resolved\": *\"http")
    found = [
        name
        for name in tracked
        if name
        and name != "tests/house/test_structure.py"
        and (ROOT / name).is_file()
        and bad.search((ROOT / name).read_bytes())
    ]

    assert found == []
