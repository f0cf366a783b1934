"""Where keys come from, how they are written, and that they show nothing of themselves."""

import base64
import copy
import pickle
import secrets
from pathlib import Path

import pytest

from mcp_daan.config import Tokens
from mcp_daan.errors import InvalidArguments
from mcp_daan.tokens.derivation import read_derivation
from mcp_daan.tokens.keys import Key, KeyProblem, KeyRing, read_key, read_keys
from mcp_daan.workspace import Workspace
from tests.tokens.conftest import Portal, findings

RAW = bytes(range(1, 33))
HEX = RAW.hex()
SEALED_NONCE = b"n" * 12


def opens(key: Key | KeyProblem, raw: bytes = RAW) -> bool:
    """Whether *key* is the one of *raw*."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    assert isinstance(key, Key)
    sealed = AESGCM(raw).encrypt(SEALED_NONCE, b"x", None)
    return key.cipher().decrypt(SEALED_NONCE, sealed, None) == b"x"


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        f'"{HEX}"\n',
        base64.b64encode(RAW).decode(),
        base64.b64encode(RAW).decode() + "\n",
        base64.urlsafe_b64encode(RAW).decode().rstrip("="),
        f"'{base64.urlsafe_b64encode(RAW).decode()}'",
    ],
)
def test_a_key_is_read_however_it_is_written(text: str) -> None:
    """Hex, base64 and base64url, with quotes and newlines round it."""
    assert opens(read_key("current", text))


def test_32_characters_of_text_are_a_key_that_may_be_meant_otherwise() -> None:
    """They may be base64 of 24 bytes too: whether anything opens decides."""
    text = "abcdefghijklmnopqrstuvwxyz012345"
    key = read_key("current", text)

    assert opens(key, text.encode())
    assert isinstance(key, Key)
    assert key.doubtful


@pytest.mark.parametrize(
    "text", [HEX[:-1], HEX[:-2], "short", base64.b64encode(RAW[:24]).decode() + "=", HEX + "00", "é" * 17]
)
def test_a_key_of_another_length_is_a_problem_that_repeats_nothing_of_it(text: str) -> None:
    """Even AES-192's 24 bytes, which the library would take."""
    problem = read_key("previous", text)

    assert isinstance(problem, KeyProblem)
    assert problem.code == "key_wrong_length"
    assert "TOKEN_ENCRYPTION_KEY_PREVIOUS does not hold a key of 32 bytes" in problem.message
    assert text not in problem.message + problem.advice


def test_a_declared_encoding_is_the_only_one_tried() -> None:
    """64 hex characters are no base64 of 32 bytes."""
    assert isinstance(read_key("current", HEX, encoding="base64"), KeyProblem)
    assert isinstance(read_key("current", HEX, encoding="hex"), Key)


@pytest.mark.parametrize("kdf", ["rot13", {"name": "pbkdf2", "rounds": 3}, {"name": "pbkdf2", "iterations": 0}, {}])
def test_a_kdf_that_is_not_known_is_refused(kdf: str | dict[str, object]) -> None:
    """The advice lists what may stand there."""
    with pytest.raises(InvalidArguments) as caught:
        read_derivation(kdf)

    assert "pbkdf2" in caught.value.advice


def ring(workspace: Path, environment: dict[str, str], **settings: object) -> KeyRing:
    """The ring of the workspace."""
    return read_keys(Workspace(workspace), Tokens.model_validate(settings), environment)


def dev_vars(workspace: Path, app: str, text: str) -> None:
    """An app with its `.dev.vars`."""
    folder = workspace / "apps" / app
    folder.mkdir(parents=True)
    (folder / "wrangler.jsonc").write_text("{}", encoding="utf-8")
    (folder / ".dev.vars").write_text(text, encoding="utf-8")


def test_the_environment_goes_before_the_file_and_the_file_before_dev_vars(workspace: Path) -> None:
    """Each source is asked only where the one before it says nothing."""
    of_file, of_vars = secrets.token_bytes(32), secrets.token_bytes(32)
    dev_vars(workspace, "portal", f'TOKEN_ENCRYPTION_KEY="{of_vars.hex()}"\n')
    (workspace / "key").write_text(of_file.hex() + "\n", encoding="utf-8")
    (workspace / "key").chmod(0o600)

    assert opens(ring(workspace, {"TOKEN_ENCRYPTION_KEY": HEX}, key_file="key").keys[0])
    assert opens(ring(workspace, {}, key_file="key").keys[0], of_file)
    assert opens(ring(workspace, {}).keys[0], of_vars)
    assert not ring(workspace, {}, key_file="key").problems


@pytest.mark.parametrize("unset", ["", "  ", "${TOKEN_ENCRYPTION_KEY}", '"${input:key}"'])
def test_a_placeholder_that_a_client_left_unfilled_counts_as_not_set(workspace: Path, unset: str) -> None:
    """The key of `.dev.vars` serves then."""
    dev_vars(workspace, "portal", f"TOKEN_ENCRYPTION_KEY={HEX}")

    assert opens(ring(workspace, {"TOKEN_ENCRYPTION_KEY": unset}).keys[0])


def test_the_keys_of_all_apps_are_tried(workspace: Path) -> None:
    """Two apps of one workspace may have two keys, and a previous one."""
    dev_vars(workspace, "one", f"TOKEN_ENCRYPTION_KEY={HEX}\nTOKEN_ENCRYPTION_KEY_PREVIOUS={HEX[2:]}ff")
    dev_vars(workspace, "two", f"TOKEN_ENCRYPTION_KEY={'22' * 32}")

    assert [key.role for key in ring(workspace, {}).keys] == ["current", "current", "previous"]


def test_a_key_file_that_cannot_be_read_is_a_problem_that_names_it(workspace: Path) -> None:
    """Not there, a folder, or bytes instead of text."""
    (workspace / "folder").mkdir()
    (workspace / "bytes").write_bytes(b"\xff\xfe" * 16)
    for name in ("absent", "folder", "bytes"):
        (problem,) = ring(workspace, {}, key_file=name).problems

        assert (problem.code, name in problem.message) == ("key_file_unreadable", True)


def test_a_key_file_that_others_may_open_is_a_warning(workspace: Path) -> None:
    """It is used all the same."""
    (workspace / "key").write_text(HEX, encoding="utf-8")
    (workspace / "key").chmod(0o644)
    read = ring(workspace, {}, key_file="key")

    assert [problem.code for problem in read.problems] == ["key_file_open"]
    assert opens(read.keys[0])


def test_keys_have_no_readable_form_and_cannot_be_copied_or_pickled() -> None:
    """Whatever prints, logs or stores an object gets nothing."""
    key = read_key("current", HEX)
    assert isinstance(key, Key)
    for holder in (key, KeyRing((key,))):
        assert not hasattr(holder, "__dict__")
        assert "***" in repr(holder)
        assert "***" in str(holder)
        for take in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                take(holder)


def test_without_a_key_nothing_is_called_undecryptable(portal: Portal) -> None:
    """The verdict rests on the rest, and the answer says that it has a hole."""
    portal.save([portal.row(access_token_enc="[object Object]"), portal.row(refresh_token_enc=None), *portal.rows(3)])
    answer = portal.health({})

    assert (
        answer.status, answer.data["counts"]["undecryptable"], answer.data["crypto"]["undecryptable"]
    ) == ("partial", 0, 0)  # fmt: skip
    assert answer.data["counts"]["missing_token"] == 1
    assert "key_absent" in findings(answer)
    assert "TOKEN_ENCRYPTION_KEY" in answer.recommendations[0]


@pytest.mark.parametrize("wrong", [HEX[:-1], base64.b64encode(RAW[:24]).decode(), "0f" * 16, "passphrase"])
def test_with_keys_of_a_wrong_length_nothing_is_called_undecryptable(portal: Portal, wrong: str) -> None:
    """32 characters that open nothing were base64 of 24 bytes, or hex of 16."""
    portal.save(portal.rows(4))
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": wrong, "TOKEN_ENCRYPTION_KEY_PREVIOUS": wrong})

    assert (answer.status, answer.data["counts"]["undecryptable"]) == ("partial", 0)
    assert "key_wrong_length" in findings(answer)
    assert "key_absent" not in findings(answer)
    assert wrong not in answer.model_dump_json()


def test_a_right_key_beside_a_wrong_one_still_serves(portal: Portal) -> None:
    """A broken previous key is a finding and hides nothing."""
    portal.save(portal.rows(4))
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": portal.key.hex(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": "abc"})

    assert answer.data["counts"]["healthy"] == 4
    assert "key_wrong_length" in findings(answer)


def test_a_key_that_opens_nothing_is_said_once(portal: Portal) -> None:
    """All rows fail: the key is wrong, not the rows."""
    portal.save(portal.rows(6))
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": secrets.token_hex(32)})

    assert (
        answer.status, answer.data["counts"]["undecryptable"], answer.data["crypto"]["undecryptable"]
    ) == ("complete", 6, 12)  # fmt: skip
    assert {"all"} == {each["scope"] for each in answer.data["connections"]}
    assert "key_opens_nothing" in findings(answer)
    assert sum("TOKEN_ENCRYPTION_KEY" in advice for advice in answer.recommendations) == 1


def test_a_previous_key_in_text_that_is_no_longer_needed_is_no_problem(portal: Portal) -> None:
    """Its length is doubted only where nothing opens at all."""
    portal.save(portal.rows(2))
    answer = portal.health({"TOKEN_ENCRYPTION_KEY": portal.key.hex(), "TOKEN_ENCRYPTION_KEY_PREVIOUS": "0f" * 16})

    assert (answer.status, answer.data["findings"]) == ("complete", [])
