"""Namespaces of the account, over a double of Cloudflare's REST API with the real engine behind it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_daan.cloudflare import Cloudflare
from mcp_daan.config import Limits
from mcp_daan.workers.kv import remote
from mcp_daan.workers.kv.namespaces import Namespace
from tests.node.api import ACCOUNT, TOKEN, KvApi
from tests.node.kv import in_kv, put

from .conftest import CACHE, OAUTH, Portal

# The first run installs the engine.
pytestmark = pytest.mark.timeout(300)
OTHER = "77777777777777777777777777777777"
ODD = ["a/../b", "../../../user/memberships", "ü ñ/%2F?x=1#y", "x&limit=1", "日本:key", "%2e%2e", "a\\b", "..", "+ +"]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KvApi]:
    """The account, with keys of every kind."""
    state = tmp_path_factory.mktemp("account")
    in_kv(
        state,
        CACHE,
        put("page:1", '{"title": "Home", "apiToken": "hunter2-hunter2"}', metadata={"etag": "abc", "token": "hunter2"}),
        put("page:2", "text", expirationTtl=3600),
        put("logo", bytes(range(200, 256))),
        *(put(name, f"value {number}") for number, name in enumerate(ODD) if name != ".."),
        *(put(f"bulk:{number:04}", "") for number in range(1500)),
    )
    in_kv(state, OAUTH, put("grant:u:1", "{}", metadata={"clientId": "c"}))
    served = KvApi(state, {"portal-cache": CACHE, "portal-oauth": OAUTH, "elsewhere": OTHER})
    yield served
    served.end()


@pytest.fixture
def there(workspace: Path, api: KvApi) -> Portal:
    """The app with credentials, and no local data."""
    return Portal(workspace, api.environment)


def test_a_value_comes_with_its_metadata_and_expiry_and_the_word_of_caution(there: Portal) -> None:
    """Masked as a local one is."""
    answer = there.ask("remote:CACHE", key="page:1")
    other = there.ask("remote:CACHE", key="page:2")

    assert answer.data["value"] == {"title": "Home", "apiToken": "***"}
    assert answer.data["metadata"] == {"etag": "abc", "token": "***"}
    assert (answer.data["location"], answer.artifacts) == ("remote", ["kv://remote:CACHE/page:1"])
    assert other.data["expiresAt"] is not None
    assert [each.recommendations[-1].startswith("KV is eventually consistent") for each in (answer, other)] == [
        True
    ] * 2


@pytest.mark.parametrize("key", [key for key in ODD if key != ".."])
def test_a_name_of_any_characters_stays_one_part_of_the_path(there: Portal, api: KvApi, key: str) -> None:
    """Nothing in it leads to another endpoint, another account or another parameter."""
    seen = len(api.paths)
    answer = there.ask("remote:CACHE", key=key)

    assert answer.data["value"] == f"value {ODD.index(key)}"
    for path in api.paths[seen:]:
        below = path.removeprefix(f"/client/v4/accounts/{ACCOUNT}/storage/kv/namespaces/{CACHE}/")
        assert (below.split("/")[0] in ("values", "metadata"), below.count("/"), "?" in below) == (True, 1, False)


def test_pages_hold_every_key_once_whatever_their_size(there: Portal) -> None:
    """Beyond the thousand that Cloudflare gives at a time."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        data = there.ask("remote:CACHE", prefix="bulk:", limit=600, **cursor).data
        found += [each["name"] for each in data["keys"]]
        if data["nextCursor"] is None:
            break
        cursor = {"cursor": data["nextCursor"]}

    assert found == [f"bulk:{number:04}" for number in range(1500)]


def test_a_few_keys_are_asked_for_when_a_few_are_wanted(there: Portal, api: KvApi) -> None:
    """Ten is the least that Cloudflare gives; a list is one request."""
    seen = len(api.paths)
    names = there.names("remote:CACHE", prefix="page:", limit=1)

    assert (names, [path.split("?")[1] for path in api.paths[seen:]]) == (["page:1"], ["limit=10&prefix=page%3A"])


def test_a_namespace_is_found_by_binding_id_and_title(there: Portal, api: KvApi) -> None:
    """Only a title costs a request more; what no configuration binds is found too."""
    counts = []
    for name in ("remote:OAUTH_KV", f"remote:{OAUTH}", "remote:portal-oauth", "portal-oauth"):
        seen = len(api.paths)
        assert there.names(name) == ["grant:***"]
        counts.append(len(api.paths) - seen)

    assert counts == [1, 1, 2, 2]
    assert there.names("elsewhere") == []


def test_a_local_namespace_is_meant_where_it_has_the_name(there: Portal, api: KvApi) -> None:
    """The account is asked for nothing, whether there is local data yet or not."""
    seen = len(api.paths)
    absent = there.ask("CACHE", key="page:1")
    there.fill(CACHE, put("page:1", "here"))
    answer = there.ask("CACHE", key="page:1")

    assert absent.error is not None
    assert "remote:" in absent.recommendations[0]
    assert (answer.data["value"], answer.data["location"], len(api.paths)) == ("here", "local", seen)


def test_what_is_missing_there_is_told_apart(there: Portal) -> None:
    """No such key, no such namespace, by title and by id."""
    cases = [("remote:CACHE", {"key": "absent"}), ("remote:nothing", {}), (f"remote:{'9' * 32}", {})]
    answers = [there.ask(name, **arguments) for name, arguments in cases]

    assert [each.error.code for each in answers if each.error] == ["not_found"] * 3
    assert [each.error.message for each in answers if each.error] == [
        "There is no such key in the namespace.",
        "There is no KV namespace of that name.",
        "The account has no namespace of that id.",
    ]


@pytest.mark.parametrize(
    ("variable", "value"), [("CLOUDFLARE_API_TOKEN", "wrong" * 9), ("CLOUDFLARE_ACCOUNT_ID", "f" * 32)]
)
def test_credentials_that_do_not_fit_are_rejected_with_what_they_need(there: Portal, variable: str, value: str) -> None:
    """The permission by its name, and no word of the token."""
    there.environment = {**there.environment, variable: value}
    answer = there.ask("remote:CACHE")

    assert answer.error is not None
    assert answer.error.code == "rejected_credentials"
    assert "Workers KV Storage: Read" in answer.recommendations[0]
    assert "wrong" not in answer.model_dump_json()


def test_without_an_account_it_says_so(there: Portal) -> None:
    """Before any request."""
    there.environment = {key: value for key, value in there.environment.items() if key != "CLOUDFLARE_ACCOUNT_ID"}
    answer = there.ask("remote:CACHE")

    assert answer.error is not None
    assert ("invalid_arguments", "CLOUDFLARE_ACCOUNT_ID" in answer.recommendations[0]) == (answer.error.code, True)


def test_nothing_that_writes_is_ever_sent(there: Portal, api: KvApi) -> None:
    """Every request so far only read."""
    there.ask("remote:CACHE")

    assert {each["method"] for each in api.requests} == {"GET"}


def test_the_names_of_keys_are_not_in_a_cursor(there: Portal) -> None:
    """Cloudflare's own cursor tells the last name; ours counts."""
    cursor = there.ask("remote:CACHE", limit=20).data["nextCursor"]

    assert json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[0] == 20


def test_the_rooms_functions_need_no_workspace(api: KvApi) -> None:
    """As the count of live grants uses them."""
    cloudflare = Cloudflare(TOKEN, account_id=ACCOUNT, base=api.base, limits=Limits())
    namespace = Namespace("OAUTH_KV", "remote", OAUTH)
    keys = remote.list_keys(cloudflare, namespace, "grant:", limit=100, seconds=10)
    titles = [each.name for each in remote.namespaces(cloudflare)]
    cloudflare.close()

    assert ([(each.name, each.metadata) for each in keys.keys], keys.more) == (
        [("grant:u:1", {"clientId": "c"})],
        False,
    )
    assert sorted(titles) == ["elsewhere", "portal-cache", "portal-oauth"]
