"""What sealed values have in common: formats, keys, nonces used twice, copies."""

import os
import secrets

from tests.tokens.conftest import DAY, HOUR, MINUTE, Portal, findings, token


def test_each_format_and_key_is_counted_by_value(portal: Portal) -> None:
    """A connection has two values."""
    old = secrets.token_bytes(32)
    rows = [*portal.rows(3), portal.row(access_token_enc=portal.seal(key=old), refresh_token_enc=token())]
    portal.save(rows)
    environment = {"TOKEN_ENCRYPTION_KEY": portal.key.hex(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": old.hex()}
    crypto = portal.health(environment).data["crypto"]

    assert crypto == {
        "formats": {"b64(iv12||ct||tag16)": 7, "plaintext": 1},
        "keys": {"current": 6, "previous": 1},
        "nonceReuse": 0,
        "duplicates": 0,
        "undecryptable": 0,
    }


def test_values_under_the_previous_key_open_and_are_to_be_sealed_anew(portal: Portal) -> None:
    """They are healthy until that key is dropped."""
    old = secrets.token_bytes(32)
    portal.save([portal.row(access_token_enc=portal.seal(key=old), refresh_token_enc=portal.seal(key=old))])
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": portal.key.hex(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": old.hex()})

    assert answer.data["counts"]["healthy"] == 1
    assert "previous_key_in_use" in findings(answer)


def test_a_nonce_used_for_two_values_under_one_key_is_counted_once(portal: Portal) -> None:
    """Within a row, between rows, three times over; under another key it is no reuse, nor is a copied value."""
    one, two = os.urandom(12), os.urandom(12)
    old = secrets.token_bytes(32)
    copied = portal.seal()
    rows = [
        portal.row(access_token_enc=portal.seal(nonce=one), refresh_token_enc=portal.seal(nonce=one)),
        portal.row(access_token_enc=portal.seal(nonce=one)),
        portal.row(access_token_enc=portal.seal(nonce=two), refresh_token_enc=portal.seal(key=old, nonce=two)),
        portal.row(access_token_enc=copied),
        portal.row(access_token_enc=copied),
    ]
    portal.save(rows)
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": portal.key.hex(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": old.hex()})

    assert (answer.data["crypto"]["nonceReuse"], answer.data["crypto"]["duplicates"]) == (1, 1)
    assert findings(answer)["nonce_reused"]["severity"] == "error"


def test_values_that_do_not_open_are_counted_and_their_copies_found(portal: Portal) -> None:
    """Their nonces are not known for sure, since their key is not."""
    foreign = portal.seal(key=secrets.token_bytes(32))
    portal.save([portal.row(access_token_enc=foreign), portal.row(access_token_enc=foreign), *portal.rows(3)])
    crypto = portal.health().data["crypto"]

    assert (crypto["undecryptable"], crypto["duplicates"], crypto["nonceReuse"]) == (2, 1, 0)


def test_without_a_key_nonces_and_copies_are_still_found(portal: Portal) -> None:
    """Whatever the key is, one program has one."""
    nonce = os.urandom(12)
    portal.save([portal.row(access_token_enc=portal.seal(nonce=nonce)) for _ in range(3)])
    crypto = portal.health({}).data["crypto"]

    assert (crypto["nonceReuse"], crypto["keys"]) == (1, {"current": 0, "previous": 0})


def test_one_row_that_does_not_open_is_that_row(portal: Portal) -> None:
    """The key is right, as the others show."""
    said = portal.first(portal.row(refresh_token_enc=portal.seal(key=secrets.token_bytes(32))))

    assert (said["verdict"], said["scope"], said["confidence"]) == ("undecryptable", "one", "high")


def test_a_rotation_that_left_the_older_rows_behind_is_recognised(portal: Portal) -> None:
    """Everything before a moment fails, everything after it opens."""
    old = secrets.token_bytes(32)
    left = [
        portal.row(refreshed=age, access_token_enc=portal.seal(key=old), refresh_token_enc=portal.seal(key=old))
        for age in (2 * HOUR, 3 * HOUR, 4 * DAY)
    ]
    portal.save([*left, *portal.rows(5)])
    mixed = [*left[:2], {**left[2], "refreshed_at": portal.row(refreshed=MINUTE)["refreshed_at"]}, *portal.rows(5)]

    answer = portal.health()
    assert findings(answer)["rotation_incomplete"]["connections"] == 3
    assert any("TOKEN_ENCRYPTION_KEY_PREVIOUS" in advice for advice in answer.recommendations)
    portal.save(mixed)
    assert "rotation_incomplete" not in findings(portal.health())


def test_a_value_sealed_twice_is_a_finding_and_its_token_is_compared_all_the_same(portal: Portal) -> None:
    """The path that seals what is sealed already."""
    same = token()
    rows = [
        portal.row(refresh_token_enc=portal.seal(portal.seal(same))),
        portal.row(refresh_token_enc=portal.seal(same)),
    ]
    portal.save([*portal.rows(3), *rows])
    answer = portal.health()

    assert findings(answer)["sealed_twice"]["connections"] == 1
    assert answer.data["counts"]["duplicate_grant"] == 2


def test_both_tokens_in_one_sealed_value_are_read_by_name(portal: Portal) -> None:
    """`tokens_enc` holds JSON as the provider sent it."""
    rows = portal.rows(4)
    for row in rows:
        row["tokens_enc"] = portal.seal(
            f'{{"access_token":"{token()}","refresh_token":"{token()}","expires_in":"600"}}'
        )
    rows[1]["tokens_enc"] = portal.seal('{"access_token":"a","refresh_token":""}')
    rows[2]["tokens_enc"] = portal.seal("[1]")
    portal.save(rows, without=("access_token_enc", "refresh_token_enc"))
    said = {each["id"]: each["verdict"] for each in portal.health().data["connections"]}

    assert said == {1: "healthy", 2: "missing_token", 3: "unknown", 4: "healthy"}


def test_values_over_several_columns_open_when_their_names_tell_or_are_declared(portal: Portal) -> None:
    """Sealed bytes, nonce and tag apart, as Nango keeps them."""
    import base64

    rows = []
    for row in portal.rows(3):
        for kind in ("access_token", "refresh_token"):
            raw = base64.b64decode(row.pop(f"{kind}_enc"))
            parts = {"": raw[12:-16], "_iv": raw[:12], "_tag": raw[-16:]}
            row |= {f"{kind}{part}": base64.b64encode(value).decode() for part, value in parts.items()}
        rows.append(row)
    portal.save(rows)
    recognised = portal.health()
    renamed = [
        {name.replace("access_token", "at").replace("refresh_token", "rt"): v for name, v in row.items()}
        for row in rows
    ]
    portal.save(renamed)
    columns = 'access_token = ["at", "at_iv", "at_tag"]\nrefresh_token = ["rt", "rt_iv", "rt_tag"]\n'
    portal.declare(f"[tokens.columns]\n{columns}")
    declared = portal.health()

    assert [each.data["counts"]["healthy"] for each in (recognised, declared)] == [3, 3]
    assert declared.data["crypto"]["formats"] == {"columns {ciphertext,iv,tag} b64": 6}
