"""What the seals of a whole table show: weak keys, nonces, copies, what values hold; each vector through the tool."""

import base64
import json
import secrets
from typing import Any

import pytest

from tests.tokens.conftest import DAY, HOUR, MINUTE, Portal, Row, ago, findings, token
from tests.tokens.test_sealed import VECTORS, declared_kdf

VERDICT_OF = {"plaintext": "plaintext_at_rest", "bad_key_length": None}
WARNED = sorted({vector["warn"] for vector in VECTORS if "warn" in vector})


def toml(value: Any) -> str:
    """*value* as TOML writes it."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {toml(each)}" for name, each in value.items()) + " }"
    return json.dumps(value)


def asked(portal: Portal, vectors: list[dict[str, Any]]) -> Any:
    """The answer for a table whose one column of tokens holds *vectors* of one kind, with what they need declared."""
    first = vectors[0]
    kind = "access_token" if first.get("aad", "").endswith("access_token") else "refresh_token"
    other = "refresh_token" if kind == "access_token" else "access_token"
    declared = [f'columns = {{ {kind} = ["sealed", "nonce", "tag"], {other} = "" }}']
    if not isinstance(first["stored"], dict):
        declared = [f'columns = {{ {kind} = "sealed", {other} = "" }}']
    if "aad" in first:
        declared.append('aad = "{table}:{id}:{token}"')
    if first.get("needs") == "kdf":
        declared.append(f"kdf = {toml(declared_kdf(first))}")
    portal.declare("[tokens]\n" + "\n".join(declared) + "\n")
    portal.execute("CREATE TABLE connections (id, sealed, nonce, tag, refreshed_at)")
    for number, vector in enumerate(vectors):
        identity = vector["aad"].split(":")[1] if "aad" in vector else number
        stored = vector["stored"]
        parts = (
            [stored["ciphertext"], stored["iv"], stored["tag"]] if isinstance(stored, dict) else [stored, None, None]
        )
        portal.execute("INSERT INTO connections VALUES (?, ?, ?, ?, ?)", identity, *parts, ago(MINUTE))
    return portal.health({"TOKEN_ENCRYPTION_KEY": first["key"]})


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_each_vector_gets_its_verdict_with_only_what_it_needs_declared(portal: Portal, vector: dict[str, Any]) -> None:
    """In a real table, by the tool: kdf, additional data and several columns are declared in daan.toml."""
    answer = asked(portal, [vector])
    said = answer.data["connections"][0]["verdict"]
    opened = sum(answer.data["crypto"]["keys"].values())

    if vector["expect"] == "ok":
        assert opened == 1
        assert said == ("missing_token" if vector.get("warn") == "empty_plaintext" else "healthy")
    elif vector["expect"] == "bad_key_length":
        assert (answer.status, "key_wrong_length" in findings(answer), said) == ("partial", True, "healthy")
    else:
        assert (opened, said) == (0, VERDICT_OF.get(vector["expect"], "undecryptable"))


@pytest.mark.parametrize("warn", WARNED)
def test_what_a_vector_warns_of_is_a_finding_of_that_name(portal: Portal, warn: str) -> None:
    """Among values that are well."""
    vectors = [vector for vector in VECTORS if vector.get("warn") == warn]
    group = [vector for vector in vectors if vector.get("group") == vectors[0].get("group")][:2]
    answer = asked(portal, group * 2 if warn == "duplicate_ciphertext" else group)

    assert warn in findings(answer)
    assert answer.error is None


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v["expect"] == "ok" and "warn" not in v], ids=lambda v: v["id"]
)
def test_a_vector_that_warns_of_nothing_has_no_finding_about_its_key_or_seal(
    portal: Portal, vector: dict[str, Any]
) -> None:
    """Nothing cries wolf."""
    assert set(findings(asked(portal, [vector]))) & {*WARNED, "key_opens_nothing", "key_wrong_length"} == set()


@pytest.mark.parametrize("wrapped", ['"{}"', "{}\n", " {}", "'{}'\n"])
def test_a_key_with_blanks_or_quotes_serves_and_is_a_finding(portal: Portal, wrapped: str) -> None:
    """The Worker does not strip them."""
    portal.save(portal.rows(2))
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": wrapped.format(portal.key.hex())})

    assert (answer.data["counts"]["healthy"], answer.status) == (2, "complete")
    assert findings(answer)["key_whitespace"]["severity"] == "warning"


def test_the_newline_at_the_end_of_a_key_file_is_no_finding(portal: Portal) -> None:
    """Every editor writes it."""
    portal.save(portal.rows(2))
    portal.declare('[tokens]\nkey_file = "key"\n')
    file = portal.workspace / "key"
    file.write_text(portal.key.hex() + "\n", encoding="utf-8")
    file.chmod(0o600)

    assert portal.health({}).data["findings"] == []


@pytest.mark.parametrize(("iterations", "weak"), [(99_999, True), (100_000, False)])
def test_a_kdf_of_few_rounds_is_weak(portal: Portal, iterations: int, weak: bool) -> None:
    """A passphrase is guessed as fast as it is stretched."""
    portal.declare(f'[tokens]\nkdf = {{ name = "pbkdf2", iterations = {iterations}, salt = "s" }}\n')
    portal.save(portal.rows(1))

    assert ("weak_kdf" in findings(portal.health({"TOKEN_ENCRYPTION_KEY": "passphrase"}))) is weak


def test_a_value_that_was_copied_before_its_source_changed_is_still_recognised(portal: Portal) -> None:
    """The source has a new token since; the copy opens with the data of that row only."""
    portal.declare('[tokens]\naad = "{table}:{id}:{token}"\n')
    rows = []
    for number in range(1, 9):
        bound = {kind: f"connections:{number}:{kind}".encode() for kind in ("access_token", "refresh_token")}
        rows.append(portal.row(**{f"{kind}_enc": portal.seal(aad=aad) for kind, aad in bound.items()}))
    rows[5]["refresh_token_enc"] = portal.seal(aad=b"connections:2:refresh_token")
    rows[6]["refresh_token_enc"] = portal.seal(aad=b"somewhere else")
    portal.save(rows)
    answer = portal.health()
    said = {each["id"]: each for each in answer.data["connections"]}

    assert (said[6]["verdict"], said[7]["verdict"]) == ("undecryptable", "undecryptable")
    assert findings(answer)["sealed_for_another"]["connections"] == 1
    assert [any("copied from there" in each for each in said[row]["evidence"]) for row in (6, 7)] == [True, False]


def test_a_value_sealed_twice_and_bound_to_its_row_is_recognised(portal: Portal) -> None:
    """Each time with the row's data, or only the outer time; in any form."""
    portal.declare('[tokens]\naad = "{id}"\n')
    rows = [
        portal.row(**{f"{kind}_token_enc": portal.seal(aad=str(number).encode()) for kind in ("access", "refresh")})
        for number in range(1, 7)
    ]
    rows[0]["access_token_enc"] = portal.seal(portal.seal(aad=b"1"), aad=b"1")
    rows[1]["access_token_enc"] = portal.seal(portal.seal(), aad=b"2")
    raw = base64.b64decode(portal.seal())
    rows[2]["access_token_enc"] = portal.seal(f"{raw[:12].hex()}:{raw[-16:].hex()}:{raw[12:-16].hex()}", aad=b"3")
    portal.save(rows)
    answer = portal.health()

    assert (answer.data["counts"]["healthy"], findings(answer)["sealed_twice"]["connections"]) == (6, 3)


@pytest.mark.parametrize("plain", ['"stampNL001.abcd!IAAAAxxxxxxxxx"', '{"access_token":"x"}', "gho_abcdefghijklmnop"])
def test_a_value_that_opens_to_no_token_of_exact_is_a_finding(portal: Portal, plain: str) -> None:
    """Quotes round it, the whole answer, another provider's: only where the neighbours are Exact Online's."""
    rows = [portal.row(access_token_enc=portal.seal(plain)), *portal.rows(5)]
    portal.save(rows)
    answer = portal.health()
    portal.save([{**row, "provider": "github"} for row in rows])
    elsewhere = portal.health()
    portal.save(
        [portal.row(access_token_enc=portal.seal(plain), refresh_token_enc=portal.seal(plain + str(n))) for n in "abc"]
    )
    everywhere = portal.health()

    assert findings(answer)["unlike_a_token"]["connections"] == 1
    assert "has not the form of Exact Online" in " ".join(
        next(each for each in answer.data["connections"] if each["id"] == 1)["evidence"]
    )
    assert [each for each in (elsewhere, everywhere) if "unlike_a_token" in findings(each)] == []


def test_rows_that_a_newer_key_sealed_tell_that_this_one_is_old(portal: Portal) -> None:
    """The portal was given a new key, and whoever asks here was not."""
    new = secrets.token_bytes(32)
    ahead = [
        portal.row(refreshed=age, access_token_enc=portal.seal(key=new), refresh_token_enc=portal.seal(key=new))
        for age in (10, 20, 30)
    ]
    behind = [portal.row(refreshed=HOUR) for _ in range(4)]
    portal.save([*ahead, *behind])
    outdated = findings(portal.health())
    portal.save([*ahead, *behind, portal.row(refreshed=5)])

    assert (outdated["key_outdated"]["connections"], "rotation_incomplete" in outdated) == (3, False)
    assert "key_outdated" not in findings(portal.health())


def test_formats_are_held_against_each_other_within_a_column(portal: Portal) -> None:
    """Two columns may each have their own; one column may not have two."""

    def hexed(plain: str | None = None) -> str:
        return base64.b64decode(portal.seal(plain)).hex()

    portal.save([portal.row(refresh_token_enc=hexed()) for _ in range(4)])
    apart = findings(portal.health())
    portal.save([portal.row(refresh_token_enc=hexed()), *portal.rows(4)])
    mixed = findings(portal.health())

    assert "formats_mixed" not in apart
    assert "refresh_token_enc" in mixed["formats_mixed"]["message"]
    assert "access_token_enc" not in mixed["formats_mixed"]["message"]


def test_values_in_the_url_alphabet_that_fit_the_standard_one_are_no_mix(portal: Portal) -> None:
    """Without `-`, `_` and padding a value is the same in both."""

    def url(fits: bool) -> str:
        while True:
            sealed = portal.seal(token()[:-1]).translate(str.maketrans("+/", "-_")).rstrip("=")
            if ("-" in sealed or "_" in sealed) is not fits:
                return sealed

    portal.save([portal.row(access_token_enc=url(number == 0), refresh_token_enc=url(False)) for number in range(6)])

    assert "formats_mixed" not in findings(portal.health())


def test_one_nonce_of_zeros_is_an_error_however_the_nonce_is_long(portal: Portal) -> None:
    """A buffer that was never filled."""
    portal.save([portal.row(access_token_enc=portal.seal(nonce=bytes(12))), *portal.rows(3)])

    assert findings(portal.health())["nonce_all_zero"]["severity"] == "error"
    assert "nonce_reused" not in findings(portal.health())


def test_old_rows_are_judged_beside_values_that_open_to_nothing(portal: Portal) -> None:
    """What opens to nothing is counted by connection."""
    nothing = portal.seal("undefined")
    portal.save([portal.row(refreshed=DAY, access_token_enc=nothing, refresh_token_enc=portal.seal("")), portal.row()])

    assert findings(portal.health())["empty_plaintext"]["connections"] == 1


def test_a_key_version_of_which_nothing_opens_is_named(portal: Portal) -> None:
    """`v2:` before values that another key sealed; where all versions open there is nothing to say."""
    new = secrets.token_bytes(32)

    def row(version: str, key: bytes) -> Row:
        return portal.row(
            **{f"{kind}_token_enc": f"{version}:{portal.seal(key=key)}" for kind in ("access", "refresh")}
        )

    portal.save([row("v1", portal.key), row("v1", portal.key), row("v2", new)])
    alone = findings(portal.health())
    both = {"TOKEN_ENCRYPTION_KEY": new.hex(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": portal.key.hex()}

    assert "of which none opens: v2; those of v1 do" in alone["key_version_unknown"]["message"]
    assert "key_version_unknown" not in findings(portal.health(both))
