"""Static tokens: made once, shown once, kept hashed, heeded at once."""

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from mcp_daan.errors import Conflict, DaanError, InvalidArguments, NotFound, Refused, Unavailable
from mcp_daan.scrub import Secrets
from mcp_daan.server.http.tokens import TokenFile
from mcp_daan.server.offer import SCOPES
from mcp_daan.tools import all_tools, scope_of, toolsets
from tests.http.servers import Server, bearer, command, environment, wait

ALL = ",".join(SCOPES)


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a user who serves a team."""
    return tmp_path_factory.mktemp("team")


def made(home: Path, demo: Path, name: str, *scopes: str) -> str:
    """A new token, as the command shows it."""
    done = command(home, "token", "create", name, "--workspace", str(demo), *(f"--scope={each}" for each in scopes))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def everything(team: Path, demo: Path) -> str:
    """A token that may do all."""
    return made(team, demo, "everything", ALL)


@pytest.fixture(scope="module")
def guarded(demo: Path, team: Path, everything: str) -> Iterator[Server]:
    """A server of a user who has made a token; nothing else is set."""
    started = Server(demo, team)
    yield started
    started.close()


def test_a_token_is_shown_once_and_only_its_hash_is_kept(demo: Path, home: Path) -> None:
    """In a file of the owner's alone, below the user's data folder."""
    token = made(home, demo, "ci", "d1:read", "knowledge:read")
    file = home / "data" / "mcp-daan" / "tokens.json"
    listed = command(home, "token", "list", "--workspace", str(demo)).stdout
    as_json = json.loads(command(home, "token", "list", "--json", "--workspace", str(demo)).stdout)

    assert (token.startswith("daan_"), len(token) >= 40) == (True, True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in file.read_text()
    assert [word in listed for word in ("ci", "knowledge:read d1:read", token)] == [True, True, False]
    assert [(each["name"], each["scopes"], set(each)) for each in as_json] == [
        ("ci", ["knowledge:read", "d1:read"], {"name", "scopes", "created", "expires"})
    ]
    assert Secrets().scrub(f"so {token} leaks") == "so *** leaks"


def test_without_a_token_there_is_nothing_but_probes(guarded: Server) -> None:
    """Once a token exists it is asked for, on this machine too."""
    answers = [
        guarded.ask("tools/list"),
        guarded.ask("tools/list", token="daan_" + "x" * 43),
        guarded.ask("tools/list", token="other"),
        guarded.http.get("/metrics"),
    ]

    assert "authentication: tokens" in guarded.log
    assert [answer.status_code for answer in answers] == [401] * 4
    assert [answer.headers["www-authenticate"] for answer in answers[:2]] == [
        'Bearer realm="mcp-daan"',
        'Bearer error="invalid_token", error_description="the token is not known", realm="mcp-daan"',
    ]
    assert guarded.http.get("/healthz").json() == {"status": "ok"}
    assert guarded.http.get("/.well-known/oauth-protected-resource/mcp").status_code == 404


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.asyncio
async def test_the_sdks_client_works_with_a_token(guarded: Server, everything: str, mode: str) -> None:
    """In both eras, as any client sends it."""
    async with (
        create_mcp_http_client(headers=bearer(everything)) as http,
        Client(streamable_http_client(guarded.url, http_client=http), mode=mode) as client,
    ):
        tools = (await client.list_tools()).tools
        answer = await client.call_tool("d1_databases", {})

    assert [tool.name for tool in tools] == list(all_tools())
    assert answer.structured_content["status"] == "complete"


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_shows_its_tools_and_what_shows_the_same(guarded: Server, team: Path, demo: Path, scope: str) -> None:
    """Tools, resources, templates, prompts, completion and instructions, and no others; the rest is forbidden."""
    token = made(team, demo, f"only {scope}", scope)
    tools = [tool["name"] for tool in guarded.result("tools/list", token=token)["tools"]]
    kinds = {each["uri"].partition("://")[0] for each in guarded.result("resources/list", token=token)["resources"]}
    forms = [
        each["uriTemplate"] for each in guarded.result("resources/templates/list", token=token)["resourceTemplates"]
    ]
    prompts = [each["name"] for each in guarded.result("prompts/list", token=token)["prompts"]]
    told = guarded.result("server/discover", token=token)["instructions"]
    reference = {"type": "ref/resource", "uri": "d1://{database}/schema"}
    completing = {"ref": reference, "argument": {"name": "database", "value": ""}}
    databases = guarded.result("completion/complete", completing, token)["completion"]["values"]
    forbidden = [
        guarded.ask("tools/call", {"name": name, "arguments": {}}, token).status_code
        for name in all_tools()
        if name not in tools
    ]

    expected = [name for name in all_tools() if scope_of(name) == scope]
    assert tools == expected
    assert kinds - {"daan", "skill"} == {"knowledge:read": {"knowledge"}, "d1:read": {"d1"}}.get(scope, set())
    assert [form.partition("://")[0] for form in forms] == {"knowledge:read": ["knowledge"], "d1:read": ["d1"]}.get(
        scope, []
    )
    assert prompts == {
        "knowledge:read": ["daan", "kennisvalidatie"],
        "knowledge:write": ["daan", "lessons_retro"],
        "d1:read": ["daan", "migration_review"],
        "tokens:read": ["daan", "token_incident"],
    }.get(scope, ["daan"])
    assert (databases != []) == (scope == "d1:read")
    assert [name for name in all_tools() if name not in tools and f"`{name}`" in told] == []
    assert set(forbidden) == {403}


def test_a_prompt_shows_no_fact_that_its_caller_may_not_see(guarded: Server, team: Path, demo: Path) -> None:
    """The brief is for everybody; what stands in it is not."""
    token = made(team, demo, "brief", "knowledge:write")
    brief = guarded.result("prompts/get", {"name": "daan", "arguments": {"opdracht": "x"}}, token)
    text = brief["messages"][0]["content"]["text"]

    assert [fact in text for fact in ("databases: (not offered here)", "branch: (not offered here)")] == [True, True]
    assert "portal-db" not in text


def test_a_caller_hears_of_no_resource_that_it_may_not_read(guarded: Server, team: Path, demo: Path) -> None:
    """What may not be seen is left out of a subscription, and the client is told what is left."""
    token = made(team, demo, "listener", "d1:read")
    wanted = ["knowledge://backend/DATABASE.md", "d1://portal-db/schema"]
    params = {"notifications": {"resourceSubscriptions": wanted}}
    with guarded.http.stream(
        "POST",
        "/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {**params, "_meta": META}},
        headers={
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": "2026-07-28",
            "mcp-method": "subscriptions/listen",
            **bearer(token),
        },
    ) as stream:
        line = next(line for line in stream.iter_lines() if line.startswith("data:"))

    assert json.loads(line.removeprefix("data: "))["params"]["notifications"] == {
        "resourceSubscriptions": ["d1://portal-db/schema"]
    }


META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def test_a_revoked_token_is_refused_and_a_new_one_counts_without_a_restart(
    guarded: Server, team: Path, demo: Path
) -> None:
    """The next request knows."""
    token = made(team, demo, "leaving", "d1:read")
    before = guarded.ask("tools/list", token=token).status_code
    revoked = command(team, "token", "revoke", "leaving", "--workspace", str(demo)).returncode

    assert (before, revoked, guarded.ask("tools/list", token=token).status_code) == (200, 0, 401)


def test_no_token_stands_in_the_log_or_the_audit(guarded: Server, team: Path, demo: Path, everything: str) -> None:
    """Who called is told by name; who tried and may not is told too."""
    guarded.call("lessons_list", {"query": everything}, everything)
    token = made(team, demo, "listener of the log", "d1:read")
    guarded.ask("tools/call", {"name": "lessons_append", "arguments": {"title": everything}}, token)

    assert '"who": "token listener of the log", "method": "tools/call", "name": "lessons_append"' in guarded.log
    assert ("token everything" in guarded.log, everything in guarded.log) == (True, False)


def test_a_file_that_others_may_read_or_that_is_broken_closes_the_door(demo: Path, home: Path) -> None:
    """Neither open nor a crash: 503, not ready, and well again once it is mended; without the file nobody enters."""
    token = made(home, demo, "ci", "d1:read")
    file = home / "data" / "mcp-daan" / "tokens.json"
    kept = file.read_text()
    started = Server(demo, home)
    try:
        file.chmod(0o644)
        readable = started.ask("tools/list", token=token).status_code
        not_ready = wait(lambda: started.http.get("/readyz").status_code == 503)
        failing = started.http.get("/readyz").json()
        file.chmod(0o600)
        file.write_text("{")
        broken = started.ask("tools/list", token=token).status_code
        file.write_text(kept)
        mended = started.ask("tools/list", token=token).status_code
        file.unlink()
        gone = started.ask("tools/list", token=token).status_code
        without = started.ask("tools/list").status_code
    finally:
        started.close()

    assert (readable, not_ready, failing) == (503, True, {"status": "not ready", "failing": ["tokens"]})
    assert (broken, mended, gone, without) == (503, 200, 401, 401)


def test_the_file_of_tokens_may_stand_elsewhere(demo: Path, home: Path) -> None:
    """The command and the server read the same setting; nothing is put into the user's data folder then."""
    elsewhere = home / "elsewhere.json"
    variables = environment(home, DAAN_HTTP_TOKEN_FILE=str(elsewhere), DAAN_HTTP_AUTH="tokens")
    typed = [sys.executable, "-m", "mcp_daan", "token", "create", "ci", "--scope", "d1:read", "--workspace", str(demo)]
    token = subprocess.run(typed, env=variables, capture_output=True, text=True, check=True).stdout.strip()
    started = Server(demo, home, DAAN_HTTP_TOKEN_FILE=str(elsewhere), DAAN_HTTP_AUTH="tokens")
    try:
        statuses = [started.ask("tools/list", token=each).status_code for each in (token, None)]
    finally:
        started.close()

    assert (statuses, elsewhere.exists(), (home / "data" / "mcp-daan" / "tokens.json").exists()) == (
        [200, 401],
        True,
        False,
    )


def test_an_expired_token_is_refused_by_the_true_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DAAN_NOW fixes the clock for judging health; it opens no door."""
    tokens = TokenFile(tmp_path / "tokens.json")
    token = tokens.create("short", ["d1:read"], days=1)
    live = tokens.find(token)
    past = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    kept = json.loads(tokens.path.read_text())
    kept["tokens"][0]["expires"] = past
    tokens.path.write_text(json.dumps(kept))
    monkeypatch.setenv("DAAN_NOW", "2020-01-01T00:00:00Z")

    assert live is not None
    assert (live.name, tokens.find(token)) == ("short", None)


@pytest.mark.parametrize(
    ("name", "scopes", "days", "failure"),
    [
        ("", ["d1:read"], None, InvalidArguments),
        ("x" * 65, ["d1:read"], None, InvalidArguments),
        ("a\nb", ["d1:read"], None, InvalidArguments),
        ("x", [], None, InvalidArguments),
        ("x", ["d1:write"], None, InvalidArguments),
        ("x", ["d1:read,*"], None, InvalidArguments),
        ("x", ["d1:read"], 0, InvalidArguments),
        ("taken", ["d1:read"], None, Conflict),
    ],
)
def test_what_makes_no_sense_makes_no_token(
    tmp_path: Path, name: str, scopes: list[str], days: int | None, failure: type[DaanError]
) -> None:
    """And leaves the file as it was."""
    tokens = TokenFile(tmp_path / "tokens.json")
    tokens.create("taken", ["d1:read d1:read", "tokens:read"])
    before = tokens.path.read_bytes()

    with pytest.raises(failure):
        tokens.create(name, scopes, days)

    assert tokens.path.read_bytes() == before
    assert tokens.grants()[0].scopes == ("d1:read", "tokens:read")


def test_revoking_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A name spelled wrongly must not look like a revocation."""
    with pytest.raises(NotFound):
        TokenFile(tmp_path / "tokens.json").revoke("nobody")


def test_a_file_that_cannot_be_trusted_or_understood_is_not_used(tmp_path: Path) -> None:
    """Others could have written it."""
    tokens = TokenFile(tmp_path / "tokens.json")
    tokens.create("ci", ["d1:read"])
    tokens.path.chmod(0o620)
    with pytest.raises(Refused):
        tokens.grants()
    tokens.path.chmod(0o600)
    for broken in ('{"tokens": [{"name": 1}]}', "[]", '{"tokens": {}, "x": 1}x', "\x00"):
        tokens.path.write_text(broken)
        with pytest.raises(Unavailable):
            tokens.grants()


def test_a_file_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    """Where its folder should be stands a file."""
    (tmp_path / "taken").touch()

    with pytest.raises(Unavailable, match="cannot be written"):
        TokenFile(tmp_path / "taken" / "tokens.json").create("ci", ["d1:read"])


def test_tokens_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    """Four people at once, each in a process of their own."""
    program = "import sys; from pathlib import Path; from mcp_daan.server.http.tokens import TokenFile\n"
    program += "for n in range(10): TokenFile(Path(sys.argv[1])).create(f'{sys.argv[2]}-{n}', ['d1:read'])"
    path = tmp_path / "tokens.json"
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(path), str(number)], env=environment(tmp_path))
        for number in range(4)
    ]

    assert [process.wait(timeout=60) for process in running] == [0] * 4
    assert len(TokenFile(path).grants()) == 40
    assert sorted(each.name for each in tmp_path.iterdir()) == ["tokens.json", "tokens.json.lock"]


def test_the_scopes_are_those_of_the_toolsets() -> None:
    """A toolset that is new needs a scope, and the documentation with it."""
    assert {scope.partition(":")[0] for scope in SCOPES} == set(toolsets())
