"""Every fault is found, at its line, and nothing else is."""

import json
from pathlib import Path
from typing import get_args

import pytest

from mcp_daan.workers.bundle import MOST_COMPRESSED
from mcp_daan.workers.finding import SEVERITIES, Code
from tests.workers.faults import SECRET, Fault, worker
from tests.workers.planted import FAULTS, checked, found, planted, written
from tests.workers.says import wrangler, wrangler_says


def each(faults: list[Fault]) -> pytest.MarkDecorator:
    """A test for each of *faults*."""
    return pytest.mark.parametrize("fault", faults, ids=[f"{fault.code}-{at}" for at, fault in enumerate(faults)])


@each(FAULTS)
def test_a_planted_fault_is_found_at_its_line_and_nothing_else_is(fault: Fault, workspace: Path) -> None:
    """Code, path and line; its message and its fix say something."""
    answer = checked(planted(fault, workspace))
    seen = found(answer)

    assert (fault.code, fault.path, fault.line) in seen
    assert [one for one in seen if one != (fault.code, fault.path, fault.line) and one[0] not in fault.also] == []
    assert answer["status"] == ("partial" if "hole" in fault.also else "complete")
    assert all(len(one["message"]) > 30 and len(one["fix"]) > 10 for one in answer["data"]["findings"])


def test_every_code_is_planted_once_at_least() -> None:
    """A bundle over the limit has a test of its own, below; what is deployed, in another file."""
    of_files = {code for code in SEVERITIES if "deployed" not in code}

    assert {fault.code for fault in FAULTS} | {"bundle_too_large"} == of_files
    assert set(SEVERITIES) == set(get_args(Code))


def test_wrangler_refuses_what_we_say_it_refuses(tmp_path: Path) -> None:
    """And takes what we say it takes."""
    faults = [fault for fault in FAULTS if fault.refused is not None]
    asked = [(planted(fault, tmp_path / str(at)) / fault.path, None) for at, fault in enumerate(faults)]
    said = wrangler_says(asked)

    assert [(fault.code, fault.at, bool(one.refused)) for fault, one in zip(faults, said, strict=True)] == [
        (fault.code, fault.at, fault.refused) for fault in faults
    ]


def test_wrangler_refuses_for_pages_what_we_say(tmp_path: Path) -> None:
    """And takes what says no more than its own defaults; `pages functions build` reads the file as Pages' own builds do."""
    faults = [fault for fault in FAULTS if "pages_build_output_dir" in fault.files.get(fault.path, "")]
    clean = Fault("", None, worker(_without=("main",), pages_build_output_dir="out"))
    refused = []
    for at, fault in enumerate([clean, *[fault for fault in faults if not fault.code.startswith("astro")]]):
        folder = planted(fault, tmp_path / str(at))
        written(
            folder, {"functions/a.js": "export const onRequest = () => new Response();", "out/index.html": ""}.items()
        )
        done = wrangler(
            folder, *"pages functions build --outdir made --project-directory . --build-metadata-path m.json".split()
        )
        refused.append((fault.code, done.returncode != 0))

    assert refused == [("", False)] + [(code, True) for code, _ in refused[1:]]
    assert len(refused) == 6
    assert found(checked(tmp_path / "0")) == []


def test_wrangler_warns_of_what_environments_do_not_inherit(tmp_path: Path) -> None:
    """For each of our faults."""
    faults = [fault for fault in FAULTS if fault.code == "env_not_inherited"]
    asked = [(planted(fault, tmp_path / str(at)) / fault.path, "production") for at, fault in enumerate(faults)]
    said = wrangler_says(asked)

    assert len(said) == 5
    assert [one.warned for one in said if "at the top level, but not on" not in one.warned] == []


def test_a_bundle_over_the_limit_is_found_with_its_largest_parts(workspace: Path) -> None:
    """Near it, too; one that is far too large is not even compressed."""
    written(
        workspace, {**worker(), "package.json": '{"scripts": {"b": "wrangler deploy --dry-run --outdir=out"}}'}.items()
    )
    parts = {"index.js": 60 * 2**20, "data.wasm": 2**20, "index.js.map": 2**30, ".dev.vars": 9, ".hidden.js": 2**20}
    (workspace / "out").mkdir()
    for name, size in parts.items():
        with (workspace / "out" / name).open("wb") as file:
            file.truncate(size)
    near = checked(workspace)
    with (workspace / "out" / "more.mjs").open("wb") as file:
        file.truncate(4 * 2**20)
    over = checked(workspace)

    assert [(one["code"], one["severity"], one["path"]) for one in near["data"]["findings"]] == [
        ("bundle_too_large", "warning", "out")
    ]
    assert [one["severity"] for one in over["data"]["findings"]] == ["error"]
    assert over["data"]["apps"][0]["bundle"] == {
        "path": "out",
        "bytes": 65 * 2**20,
        "gzipBytes": None,
        "limitBytes": 64 * 2**20,
        "parts": 3,
        "largest": [
            {"path": "index.js", "bytes": 60 * 2**20},
            {"path": "more.mjs", "bytes": 4 * 2**20},
            {"path": "data.wasm", "bytes": 2**20},
        ],
    }
    assert MOST_COMPRESSED < 65 * 2**20


def test_the_value_of_a_secret_is_never_shown(workspace: Path, tmp_path: Path) -> None:
    """Neither in the finding nor in the text that mends another one."""
    faults = [fault for fault in FAULTS if fault.code == "secret_in_config"]
    answers = [checked(planted(fault, tmp_path / str(at))) for at, fault in enumerate(faults)]
    inherited = {
        "hyperdrive": [{"binding": "PG", "id": "1" * 31 + "2", "localConnectionString": f"postgres://a:{SECRET}@db/x"}],
        "services": [{"binding": "A", "service": "b", "props": {"api_key": SECRET}}],
        "vars": {"PLAIN": "shown-nowhere-either"},
        "env": {"production": {}},
    }
    written(workspace, worker(**inherited).items())
    answers.append(checked(workspace))

    assert {"secret_in_config", "env_not_inherited"} <= {one[0] for answer in answers for one in found(answer)}
    assert [SECRET in json.dumps(answer) or "shown-nowhere" in json.dumps(answer) for answer in answers] == [
        False for _ in answers
    ]


def test_an_environment_lacks_no_variable_that_is_a_secret(workspace: Path) -> None:
    """It is given there with `wrangler secret put`; what stands at the top level is a placeholder."""
    variables = {"STAGE": "dev", "CLIENT_SECRET": "PLACEHOLDER", "CLIENT_ID": "<set by CI>"}
    written(workspace, worker(vars=variables, env={"live": {"vars": {"STAGE": "live"}}, "test": {}}).items())
    (finding,) = checked(workspace)["data"]["findings"]

    assert (finding["code"], "`STAGE`" in finding["message"]) == ("env_not_inherited", True)
    assert "CLIENT" not in json.dumps(finding)


@pytest.mark.parametrize("code", ["env_not_inherited", "observability_absent", "durable_object_undeclared"])
def test_the_text_of_a_fix_mends_the_fault_in_json(code: str, workspace: Path) -> None:
    """Word for word, in the scope that it names."""
    fault = next(fault for fault in FAULTS if fault.code == code and fault.path == "wrangler.jsonc")
    (finding,) = checked(planted(fault, workspace))["data"]["findings"]
    where, _, text = finding["fix"].partition(" write: ")
    values = json.loads(fault.files[fault.path])
    scope = values["env"]["production"] if "env.production" in where else values
    scope.update(json.loads("{" + text.split("\n(with")[0] + "}"))
    (workspace / fault.path).write_text(json.dumps(values))

    # A copy of the top level's entry has its database too: that is said next.
    assert [one[0] for one in found(checked(workspace)) if one[0] != "database_shared"] == []


def test_the_text_of_a_fix_mends_the_fault_in_toml(workspace: Path) -> None:
    """Its tables stand for themselves, so they may be added at the end."""
    fault = next(fault for fault in FAULTS if fault.code == "env_not_inherited" and fault.path == "wrangler.toml")
    (finding,) = checked(planted(fault, workspace))["data"]["findings"]
    text = finding["fix"].partition(" write:\n")[2].split("\n(with")[0]
    (workspace / fault.path).write_text(f"{fault.files[fault.path]}\n{text}\n")

    assert found(checked(workspace)) == []


def test_a_fix_can_be_typed_as_it_stands(workspace: Path) -> None:
    """A command stands whole between its quotes, and a number has all its digits."""
    secret = {"vars": {"CLIENT_SECRET": SECRET}}
    written(workspace, worker(limits={"subrequests": 99_000_000}, env={"production": secret}).items())
    fixes = " ".join(one["fix"] for one in checked(workspace)["data"]["findings"])

    assert "`wrangler secret put CLIENT_SECRET --env production`" in fixes
    assert "a value up to 10000000 at" in fixes
