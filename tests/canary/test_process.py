"""No secret leaves the process: canaries stand wherever a secret may stand, and every byte that comes out is searched."""

import json
import os
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from mcp_daan.tools import all_tools
from tests.canary.canaries import readable
from tests.canary.drive import VALUES, command, standing, whole_server, written
from tests.canary.world import BACKEND, World

# Those of whom a failure is sure in some of the calls.
FAILING = {"d1_query", "d1_schema", "knowledge_read", "kv_read", "tokens_health"}


def found(world: World, *emitted: bytes) -> list[str]:
    """What of the planted secrets was emitted, by its beginning."""
    return world.canaries.found_in(readable(*emitted))


def test_every_argument_of_every_tool_is_tried() -> None:
    """Whoever adds a tool says here what it is tried with."""
    names = {name for tool in all_tools().values() for name in tool.input_schema["properties"]}

    assert names - set(VALUES) <= {"task_id", "force", "supersedes", "evidence", "author"}


@pytest.mark.timeout(300)
def test_nothing_secret_leaves_the_server(world: World) -> None:
    """Every tool with every argument, locally and remotely, resources, prompts, completion; then all that was written."""
    before = standing(world.home.parent)
    said, answers = whole_server(world)
    files = written(world.home.parent, before)
    status = {(answer["name"], answer.get("status")) for answer in answers}

    assert {name for name, _ in status} == set(all_tools())
    assert {name for name, state in status if state in ("complete", "partial")} >= set(all_tools()) - {"oauth_check"}
    assert {name for name, state in status if state == "failed"} >= FAILING
    assert found(world, said) == []
    # The index keeps the text of documents, a key that somebody wrote into one too; people's own view stays as it is.
    world.canaries.planted = [each for each in world.canaries.planted if each not in world.keys]
    assert found(world, *(file for file in files if b"LESSONS-LEARNED.md\n" not in file)) == []


def test_what_is_planted_is_really_read(world: World) -> None:
    """The values are opened, listed and masked: it is not for lack of looking that nothing shows."""
    health = json.loads(command(world, "call", "tokens_health").splitlines()[-1])
    rows = json.loads(
        command(
            world, "call", "d1_query", json.dumps({"database": "portal-db", "sql": "SELECT * FROM vault"})
        ).splitlines()[-1]
    )
    far = json.loads(
        command(
            world, "call", "d1_query", json.dumps({"database": "far", "sql": "SELECT id, client_secret FROM vault"})
        ).splitlines()[-1]
    )

    assert health["data"]["crypto"]["keys"]["current"] > 200
    assert health["data"]["counts"]["plaintext_at_rest"] >= 5
    assert "client_secret" in rows["data"]["masked"]
    assert far["data"]["rows"][0] == [1, "***"]
    assert found(world, world.file.read_bytes()) != []


@pytest.mark.timeout(300)
def test_nothing_secret_leaves_the_command_line(world: World) -> None:
    """doctor, init, tools, help, calls of every exit code, a wrong command, and the demo with its own secrets."""
    demo = world.home / "demo"
    said = [
        command(world, *arguments)
        for arguments in (
            ["doctor"],
            ["doctor", "--json"],
            ["--help"],
            ["tools", "--json"],
            ["call", "--help"],
            ["call", "tokens_health", "--strict"],
            ["call", "tokens_health", "{"],
            ["call", "no_such_tool"],
            ["call", "d1_query", '{"database": "portal-db", "sql": "SELECT 1 FROM"}'],
            ["call", "knowledge_validate"],
            ["no-such-command"],
            ["install", "vscode", "--print"],
            ["demo", "--dir", str(demo)],
        )
    ]
    key = next(demo.rglob(".dev.vars")).read_text(encoding="utf-8").split('TOKEN_ENCRYPTION_KEY="')[1].split('"')[0]
    world.canaries.raw(key.encode())
    (world.workspace / "daan.toml").unlink()
    said.append(command(world, "init"))

    assert found(world, *said, (world.workspace / "daan.toml").read_bytes()) == []


Break = Callable[[World], dict[str, str]]


def _wrong_key(world: World) -> dict[str, str]:
    return {"TOKEN_ENCRYPTION_KEY": world.canaries.raw(secrets.token_bytes(32)).hex()}


def _short_key(world: World) -> dict[str, str]:
    return {"TOKEN_ENCRYPTION_KEY": world.canaries.text(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": world.canaries.text("k\n")}


def _key_file(world: World) -> dict[str, str]:
    file = world.workspace / "key"
    file.write_bytes(b"\xff\xfe" + world.canaries.text().encode() + b"\x00")
    return {"TOKEN_ENCRYPTION_KEY": "", "DAAN_TOKENS_KEY_FILE": "key"}


def _kdf(world: World) -> dict[str, str]:
    return {"TOKEN_ENCRYPTION_KEY": world.canaries.text() + "\udcff", "DAAN_TOKENS_KDF": "sha256"}


def _broken_toml(world: World) -> dict[str, str]:
    (world.workspace / "daan.toml").write_text(f'[tokens]\nkey = "{world.canaries.text()}\n', encoding="utf-8")
    return {}


def _unknown_setting(world: World) -> dict[str, str]:
    (world.workspace / "daan.toml").write_text(f'[tokens]\nkey = "{world.canaries.text()}"\n', encoding="utf-8")
    return {}


def _wrong_setting(world: World) -> dict[str, str]:
    text = f'[limits]\nstatement_seconds = "{world.canaries.text()}"\n[tokens]\nkdf = "{world.canaries.text()}"\n'
    (world.workspace / "daan.toml").write_text(text, encoding="utf-8")
    return {}


def _wrong_variable(world: World) -> dict[str, str]:
    return {"DAAN_LIMITS_STATEMENT_SECONDS": world.canaries.text(), "DAAN_NOW": world.canaries.text()}


def _wrong_kdf(world: World) -> dict[str, str]:
    return {"DAAN_TOKENS_KDF": world.canaries.text(), "DAAN_TOKENS_AAD": "{" + world.canaries.text() + "}"}


def _half_a_file(world: World) -> dict[str, str]:
    data = world.file.read_bytes()
    world.file.write_bytes(data[: len(data) // 2])
    return {}


def _no_database(world: World) -> dict[str, str]:
    world.file.write_bytes(world.canaries.text("not a database ").encode() * 300)
    return {}


def _damaged_pages(world: World) -> dict[str, str]:
    data = world.file.read_bytes()
    world.file.write_bytes(data[:4096] + os.urandom(4096) + data[8192:])
    return {}


def _broken_wrangler(world: World) -> dict[str, str]:
    file = world.app / "wrangler.jsonc"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("{", '{ "vars": {"API_TOKEN": "' + world.canaries.text() + '"},, ', 1), encoding="utf-8"
    )
    return {}


def _odd_documents(world: World) -> dict[str, str]:
    (world.workspace / BACKEND / "DATABASE.md").write_bytes(b"# \xff\xfe\n" + world.canaries.text("cfut_").encode())
    (world.workspace / ".git" / "HEAD").write_text(world.canaries.text(), encoding="utf-8")
    return {}


def _odd_login(world: World) -> dict[str, str]:
    file = world.home / ".config" / ".wrangler" / "config" / "default.toml"
    file.write_text(f'oauth_token = "{world.canaries.text("cfoat_")}\n', encoding="utf-8")
    return {"CLOUDFLARE_API_TOKEN": world.canaries.text("two words ")}


def _refused_by_cloudflare(world: World) -> dict[str, str]:
    world.refusing()
    return {}


def _page_of_cloudflare(world: World) -> dict[str, str]:
    page = f"<html>{world.environment['CLOUDFLARE_API_TOKEN']} {world.canaries.text()}</html>".encode()
    world.cloud.answers = dict.fromkeys(world.cloud.answers, (502, page))
    return {"DAAN_LIMITS_REQUEST_SECONDS": "1"}


def _unreachable_cloudflare(world: World) -> dict[str, str]:
    address = f"http://user:{world.canaries.text()}@127.0.0.1:1/client/v4"
    return {"DAAN_CLOUDFLARE_API": address, "DAAN_OAUTH_URL": address}


BREAKS: list[Break] = [
    _wrong_key, _short_key, _key_file, _kdf, _broken_toml, _unknown_setting, _wrong_setting, _wrong_variable, _wrong_kdf,
    _half_a_file, _no_database, _damaged_pages, _broken_wrangler, _odd_documents, _odd_login, _refused_by_cloudflare,
    _page_of_cloudflare, _unreachable_cloudflare,
]  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("broken", BREAKS, ids=lambda each: each.__name__.strip("_"))
def test_nothing_secret_leaves_when_something_is_broken(world: World, broken: Break) -> None:
    """Everything that is offered, and doctor, in a world where one thing is wrong."""
    environment = broken(world)
    said, answers = whole_server(world, **environment)
    doctor = command(world, "doctor", **environment) + command(world, "call", "tokens_health", **environment)

    assert {answer["name"] for answer in answers} == set(all_tools())
    assert found(world, said, doctor) == []


@pytest.mark.parametrize(
    "broken",
    [_short_key, _half_a_file, _refused_by_cloudflare],
    ids=lambda each: each.__name__.strip("_"),
)
def test_nothing_secret_leaves_the_tool_that_opens_tokens_when_something_is_broken(world: World, broken: Break) -> None:
    """The quick part of the same."""
    environment = broken(world)
    said, _ = whole_server(world, only="tokens_health", **environment)

    assert found(world, said, command(world, "doctor", **environment)) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "fault",
    [
        "scandir",
        *(pytest.param(each, marks=pytest.mark.long) for each in ("blake2b", "sha256", "dumps", "dumps in tools")),
    ],
)
def test_nothing_secret_leaves_when_the_server_itself_fails(world: World, fault: str) -> None:
    """A fault inside the tools whose text, cause and variables are secret: answers, log and tracebacks."""
    environment = {"CANARY_FAULTS": fault, "CANARY_SECRET": world.canaries.text("fault-")}
    said, answers = whole_server(world, **environment)
    commands = [command(world, *each, **environment) for each in (["doctor"], ["call", "tokens_health"], ["tools"])]
    failed: list[Any] = [answer for answer in answers if (answer.get("error") or {}).get("code") == "internal"]

    assert found(world, said, *commands) == []
    # What cannot write a line of JSON does not begin.
    assert b"a fault of its own" in said if fault == "dumps" else failed
