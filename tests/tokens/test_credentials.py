"""Cloudflare's credentials: an API token as Cloudflare tells of it, wrangler's login as its file does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mcp_daan.protocol import Answer
from tests.tokens.cloud import ACCOUNT, TOKEN_ID, Cloud, bad, good
from tests.tokens.conftest import DAY, Portal, ago, findings

USER, THEIRS = "user/tokens/verify", f"accounts/{ACCOUNT}/tokens/verify"
D1, KV, WORKERS = (f"accounts/{ACCOUNT}/{rest}" for rest in ("d1/database", "storage/kv/namespaces", "workers/scripts"))
TOKEN = "cf-token-of-a-test-0123456789abcdef"


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """Cloudflare, which knows an active user token that may read all three."""
    opened = Cloud()
    opened.answers |= {USER: verified("active"), D1: good([]), KV: good([]), WORKERS: good([])}
    yield opened
    opened.close()


def verified(status: str, **more: Any) -> Any:
    """What `verify` answers."""
    return good({"id": TOKEN_ID, "status": status, **more})


def asked(portal: Portal, cloud: Cloud, token: str = TOKEN, account: str | None = ACCOUNT) -> Answer:
    """What `tokens_health` answers with the token in the environment."""
    if not portal.file.exists():
        portal.save(portal.rows(2))
    return portal.health({"TOKEN_ENCRYPTION_KEY": portal.key.hex(), **cloud.environment(token, account)})


def test_a_token_that_lives_is_told_with_its_end_and_what_it_may_read(portal: Portal, cloud: Cloud) -> None:
    """Only GETs are sent, and only to read."""
    cloud.answers[USER] = verified("active", expires_on=ago(-90 * DAY))
    answer = asked(portal, cloud)

    assert answer.data["cloudflare"] == {
        "source": "CLOUDFLARE_API_TOKEN",
        "status": "active",
        "expiresOn": "2027-02-20T12:00:00Z",
        "canRead": True,
        "canWrite": None,
    }
    assert (answer.status, findings(answer)) == ("complete", {})
    assert {method for method, _ in cloud.asked} == {"GET"}


@pytest.mark.parametrize("token", [TOKEN, "cfut_" + "a" * 48, "cfat_" + "a" * 48])
def test_an_account_token_is_unknown_to_the_user_s_endpoint_and_alive_all_the_same(
    portal: Portal, cloud: Cloud, token: str
) -> None:
    """Both endpoints are asked before a token is called dead, whatever its prefix says."""
    cloud.answers |= {USER: bad(401, 1000, "Invalid API Token"), THEIRS: verified("active", expires_on=ago(-9 * DAY))}
    answer = asked(portal, cloud, token)
    first = next(path for _, path in cloud.asked if path.endswith("verify"))

    assert (answer.data["cloudflare"]["status"], findings(answer)) == ("active", {})
    assert first == (THEIRS if token.startswith("cfat_") else USER)


def test_a_token_that_nobody_knows_is_rejected_only_after_both_were_asked(portal: Portal, cloud: Cloud) -> None:
    """And nothing opens with it."""
    cloud.answers = dict.fromkeys((USER, THEIRS, D1, KV, WORKERS), bad(401, 1000, "Invalid API Token"))
    answer = asked(portal, cloud)

    assert answer.data["cloudflare"]["status"] == "rejected"
    assert answer.data["cloudflare"]["canRead"] is False
    assert findings(answer)["cloudflare_token_rejected"]["severity"] == "error"
    assert {path for _, path in cloud.asked} >= {USER, THEIRS}
    assert answer.status == "complete"


def test_a_token_that_opens_something_is_alive_whoever_does_not_know_it(portal: Portal, cloud: Cloud) -> None:
    """The endpoints may be closed to it."""
    cloud.answers |= dict.fromkeys((USER, THEIRS), bad(403, 9109))

    assert asked(portal, cloud).data["cloudflare"]["status"] == "active"


def test_without_an_account_an_unknown_token_is_not_called_dead(portal: Portal, cloud: Cloud) -> None:
    """It may be an account's own."""
    cloud.answers = {USER: bad(401, 1000)}
    unknown = asked(portal, cloud, account=None)
    of_user = asked(portal, cloud, "cfut_" + "a" * 48, account=None)

    assert [each.data["cloudflare"]["status"] for each in (unknown, of_user)] == ["unverified", "rejected"]
    assert (
        "CLOUDFLARE_ACCOUNT_ID"
        in str(unknown.recommendations) + findings(unknown)["cloudflare_token_unverified"]["message"]
    )


def test_an_oauth_token_is_verified_by_neither_and_told_by_what_it_opens(portal: Portal, cloud: Cloud) -> None:
    """`cfoat_` is wrangler's own kind."""
    token = "cfoat_" + "a" * 48
    cloud.answers["accounts"] = good([{"id": ACCOUNT}])
    alive = asked(portal, cloud, token)
    cloud.answers = dict.fromkeys(("accounts", D1, KV, WORKERS), bad(403, 10000))
    dead = asked(portal, cloud, token)

    assert [each.data["cloudflare"]["status"] for each in (alive, dead)] == ["active", "rejected"]
    assert [path for _, path in cloud.asked if path.endswith("verify")] == []


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"status": "disabled"}, "disabled", "cloudflare_token_disabled"),
        ({"status": "expired"}, "expired", "cloudflare_token_expired"),
        ({"status": "active", "expires_on": ago(DAY)}, "expired", "cloudflare_token_expired"),
        ({"status": "active", "not_before": ago(-DAY)}, "not_yet_valid", "cloudflare_token_not_yet_valid"),
        ({"status": "active", "expires_on": ago(-6 * DAY)}, "active", "cloudflare_token_expiring"),
        ({"status": "active"}, "active", "cloudflare_token_endless"),
    ],
)
def test_what_verify_says_is_told(portal: Portal, cloud: Cloud, said: dict[str, str], status: str, code: str) -> None:
    """Dead tokens are errors, those that end soon a warning."""
    cloud.answers[USER] = verified(**said)
    answer = asked(portal, cloud)

    assert (answer.data["cloudflare"]["status"], code in findings(answer)) == (status, True)


def test_permissions_that_are_missing_are_named(portal: Portal, cloud: Cloud) -> None:
    """Each is tried with a list."""
    cloud.answers |= {
        USER: verified("active", expires_on=ago(-90 * DAY)),
        D1: bad(403, 10000),
        WORKERS: bad(403, 10000),
    }
    answer = asked(portal, cloud)

    assert answer.data["cloudflare"]["canRead"] is False
    assert "may not read: D1, Workers Scripts" in findings(answer)["cloudflare_token_narrow"]["message"]


@pytest.mark.parametrize(
    ("names", "may"), [(["D1 Read"], False), (["D1 Read", "D1 Write"], True), (["Workers KV Storage Edit"], True)]
)
def test_a_token_that_may_read_its_own_permissions_tells_whether_it_writes(
    portal: Portal, cloud: Cloud, names: list[str], may: bool
) -> None:
    """Nothing is written to find out; without that permission it stays unknown."""
    policies = [{"effect": "allow", "permission_groups": [{"id": "x", "name": name} for name in names]}]
    policies.append({"effect": "deny", "permission_groups": [{"name": "Zone Write"}]})
    cloud.answers |= {
        USER: verified("active", expires_on=ago(-90 * DAY)),
        f"user/tokens/{TOKEN_ID}": good({"policies": policies}),
    }
    answer = asked(portal, cloud)

    assert (answer.data["cloudflare"]["canWrite"], "cloudflare_token_writes" in findings(answer)) == (may, may)


@pytest.mark.parametrize(
    "policies", [None, [], [None], [{"effect": "allow"}], [{"effect": "allow", "permission_groups": [1]}]]
)
def test_odd_policies_break_nothing(portal: Portal, cloud: Cloud, policies: Any) -> None:
    """What is not told stays unknown."""
    cloud.answers[f"user/tokens/{TOKEN_ID}"] = good({"policies": policies})

    assert asked(portal, cloud).data["cloudflare"]["canWrite"] in (None, False)


def test_cloudflare_out_of_reach_is_a_hole_and_nothing_is_called_dead(portal: Portal, cloud: Cloud) -> None:
    """The connections are judged all the same."""
    cloud.answers = dict.fromkeys((USER, THEIRS, D1, KV, WORKERS), (200, b"<html>sign in</html>"))
    answer = asked(portal, cloud)

    assert (answer.status, answer.data["cloudflare"]["status"]) == ("partial", "unverified")
    assert (answer.data["counts"]["healthy"], answer.data["cloudflare"]["canRead"]) == (2, None)
    assert "cloudflare_unreachable" in findings(answer)
    assert len(cloud.asked) == 1


def test_after_the_first_failure_nothing_more_is_asked(portal: Portal, cloud: Cloud) -> None:
    """A slow or broken Cloudflare costs one wait, not five."""
    cloud.answers[D1] = (200, b"<html>sign in</html>")
    answer = asked(portal, cloud)

    assert [path for _, path in cloud.asked] == [USER, D1]
    assert (answer.status, answer.data["cloudflare"]["status"]) == ("partial", "active")


@pytest.mark.parametrize("token", ["cfk_" + "a" * 48, "0123456789abcdef" * 2 + "01234"])
def test_the_global_key_is_recognised_and_sent_nowhere(portal: Portal, cloud: Cloud, token: str) -> None:
    """It may do everything, and is no API token."""
    answer = asked(portal, cloud, token)

    assert findings(answer)["cloudflare_global_key"]["severity"] == "error"
    assert cloud.received == []


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "café-token"])
def test_what_cannot_be_a_token_is_rejected_without_asking(portal: Portal, cloud: Cloud, token: str) -> None:
    """Nothing of it is said."""
    answer = asked(portal, cloud, token)

    assert (answer.data["cloudflare"]["status"], cloud.received) == ("rejected", [])
    assert token not in answer.model_dump_json()


def test_the_second_page_of_connections_asks_cloudflare_nothing(portal: Portal, cloud: Cloud) -> None:
    """What is beside the connections comes with the first."""
    first = asked(portal, cloud)
    portal.save(portal.rows(5))
    environment = {"TOKEN_ENCRYPTION_KEY": portal.key.hex(), **cloud.environment(TOKEN)}
    first = portal.health(environment, limit=2)
    before = len(cloud.asked)
    second = portal.health(environment, limit=2, cursor=first.data["nextCursor"])

    assert (len(cloud.asked) - before, second.data["cloudflare"], second.data["grants"]) == (0, None, None)


# --- wrangler's login ---


def login(folder: Path, name: str = "default", **values: Any) -> Path:
    """Wrangler's file, as it writes it."""
    file = folder / "config" / f"{name}.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def told(portal: Portal, tmp_path: Path, **environment: str) -> Any:
    """What `tokens_health` says of the credentials of somebody whose home is *tmp_path*."""
    portal.save(portal.rows(1))
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": portal.key.hex(), "HOME": str(tmp_path), **environment})
    return answer.data["cloudflare"], findings(answer)


LIVING = {
    "oauth_token": "cfoat_living",
    "refresh_token": "cfort_living",
    "expiration_time": ago(-3000),
    "scopes": ["account:read", "d1:write", "offline_access"],
}


def test_nobody_logged_in_is_null(portal: Portal, tmp_path: Path) -> None:
    """And no finding."""
    assert told(portal, tmp_path) == (None, {})


def test_a_login_is_told_with_its_end_and_what_its_scopes_allow(portal: Portal, tmp_path: Path) -> None:
    """Wrangler's scope for D1 both reads and writes."""
    login(tmp_path / ".config" / ".wrangler", **LIVING)
    told_of, found = told(portal, tmp_path)

    assert (told_of, found) == (
        {
            "source": "wrangler login",
            "status": "active",
            "expiresOn": "2026-11-22T12:50:00Z",
            "canRead": True,
            "canWrite": True,
        },
        {},
    )


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"expiration_time": ago(60)}, "renewable", None),
        ({"expiration_time": None}, "renewable", None),
        ({"expiration_time": ago(60), "refresh_token": None}, "expired", "wrangler_login_expired"),
        ({"scopes": ["account:read"]}, "active", "wrangler_scope_missing"),
        ({"scopes": None}, "active", None),
    ],
)
def test_an_access_token_that_ended_is_fine_while_it_can_be_renewed(
    portal: Portal, tmp_path: Path, changes: dict[str, Any], status: str, code: str | None
) -> None:
    """Wrangler renews it with its next command; we never do."""
    values = {key: value for key, value in {**LIVING, **changes}.items() if value is not None}
    file = login(tmp_path / ".config" / ".wrangler", **values)
    before = file.read_bytes()
    told_of, found = told(portal, tmp_path)

    assert (told_of["status"], set(found)) == (status, {code} - {None})
    assert file.read_bytes() == before


@pytest.mark.parametrize("place", ["home", "xdg", "profile", "bound", "staging"])
def test_the_login_is_found_where_wrangler_keeps_it(portal: Portal, tmp_path: Path, place: str) -> None:
    """The old folder goes first; a profile by variable or by folder; the staging environment."""
    folder = {"home": tmp_path / ".wrangler", "xdg": tmp_path / "settings" / ".wrangler"}.get(
        place, tmp_path / ".config" / ".wrangler"
    )
    name = {"profile": "klant-a", "bound": "klant-b", "staging": "staging"}.get(place, "default")
    login(tmp_path / ".config" / ".wrangler", oauth_token="other", expiration_time=ago(60))
    login(folder, name, **LIVING)
    (folder / "profiles").mkdir()
    bindings = {str(portal.workspace.parent): "klant-b"} if place == "bound" else {}
    (folder / "profiles" / "directory-bindings.json").write_text(json.dumps(bindings), encoding="utf-8")
    environment = {
        "xdg": {"XDG_CONFIG_HOME": str(tmp_path / "settings")},
        "profile": {"CLOUDFLARE_AUTH_PROFILE": "klant-a"},
        "staging": {"WRANGLER_API_ENVIRONMENT": "staging"},
    }.get(place, {})

    assert told(portal, tmp_path, **environment)[0]["status"] == "active"


@pytest.mark.parametrize("how", ["variable", "preference", "only"])
def test_a_login_in_the_keyring_is_named_and_not_opened(portal: Portal, tmp_path: Path, how: str) -> None:
    """Its key is the system's."""
    folder = tmp_path / ".config" / ".wrangler"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "default.enc").write_text('{"v":1,"alg":"AES-256-GCM"}', encoding="utf-8")
    (folder / "config" / "default.enc").chmod(0o600)
    if how != "only":
        login(folder, **LIVING)
    (folder / "preferences.json").write_text(json.dumps({"keyring_enabled": how == "preference"}), encoding="utf-8")
    environment = {"CLOUDFLARE_AUTH_USE_KEYRING": "true"} if how == "variable" else {}
    told_of, found = told(portal, tmp_path, **environment)

    assert (told_of["status"], told_of["canRead"], found) == ("in_keyring", None, {})


@pytest.mark.parametrize("end", ['"soon"', "[1]", "{ a = 1 }", "true", "2026-11-22T12:50:00Z", "1795351800"])
def test_an_end_of_any_form_breaks_nothing(portal: Portal, tmp_path: Path, end: str) -> None:
    """A moment is read in any form; anything else counts as ended, as it does for wrangler."""
    file = login(tmp_path / ".config" / ".wrangler", oauth_token="a", refresh_token="b")
    file.write_text(file.read_text(encoding="utf-8") + f"expiration_time = {end}\n", encoding="utf-8")

    assert told(portal, tmp_path)[0]["status"] == ("active" if end[0] in "12" else "renewable")


@pytest.mark.parametrize("text", ["oauth_token = ", "\xff\xfe", "[" * 500, 'oauth_token = 7\nexpiration_time = "x"'])
def test_a_broken_login_breaks_nothing(portal: Portal, tmp_path: Path, text: str) -> None:
    """It is unreadable, or nobody's."""
    file = login(tmp_path / ".config" / ".wrangler")
    file.write_bytes(text.encode("latin-1"))
    told_of, found = told(portal, tmp_path)

    assert told_of is None or (told_of["status"], set(found)) == ("unreadable", {"wrangler_login_unreadable"})


def test_the_api_token_goes_before_the_login_as_in_wrangler(portal: Portal, cloud: Cloud, tmp_path: Path) -> None:
    """And nothing of the login is sent anywhere."""
    login(tmp_path / ".config" / ".wrangler", **LIVING)
    portal.save(portal.rows(1))
    answer = portal.health({"HOME": str(tmp_path), **cloud.environment(TOKEN)})

    assert answer.data["cloudflare"]["source"] == "CLOUDFLARE_API_TOKEN"
    assert b"_living" not in b"".join(cloud.received)


# --- who may read the files ---


@pytest.mark.parametrize(
    ("mode", "seen"), [(0o600, False), (0o640, True), (0o604, True), (0o602, True), (0o400, False)]
)
def test_files_with_secrets_that_others_may_open_are_findings(
    portal: Portal, tmp_path: Path, mode: int, seen: bool
) -> None:
    """`.dev.vars` and wrangler's login."""
    (portal.workspace / "wrangler.jsonc").write_text("{}", encoding="utf-8")
    variables = portal.workspace / ".dev.vars"
    variables.write_text("EXACT_CLIENT_SECRET=x\n", encoding="utf-8")
    for file in (variables, login(tmp_path / ".config" / ".wrangler", **LIVING)):
        file.chmod(mode)
    found = told(portal, tmp_path)[1]

    assert set(found) == ({"dev_vars_open", "wrangler_login_open"} if seen else set())


def test_variables_without_a_secret_may_be_open(portal: Portal) -> None:
    """An address is no secret."""
    (portal.workspace / "wrangler.jsonc").write_text("{}", encoding="utf-8")
    (portal.workspace / ".dev.vars").write_text("PORTAL_URL=x\n", encoding="utf-8")
    portal.save(portal.rows(1))

    assert "dev_vars_open" not in findings(portal.health())
