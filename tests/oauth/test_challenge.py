"""WWW-Authenticate as servers write it."""

import pytest

from mcp_daan.tokens.oauth.seen import HEADER_CHARACTERS, Seen, bearer, shown


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", None),
        ("Basic realm=x", None),
        ("Bearer", {}),
        ("bearer realm=x", {"realm": "x"}),
        ('Bearer realm="OAuth", error="invalid_token"', {"realm": "OAuth", "error": "invalid_token"}),
        ('Bearer   realm = "a, b" ,scope="x y"', {"realm": "a, b", "scope": "x y"}),
        ('Basic realm="Bearer error=x", Bearer scope=y', {"scope": "y"}),
        ('Bearer scope="a", Basic realm="b", charset="c"', {"scope": "a"}),
        (r'Bearer realm="a \"quoted\" word"', {"realm": 'a "quoted" word'}),
        ('Bearer SCOPE="a", scope="b"', {"scope": "a"}),
        ('Negotiate, Bearer resource_metadata="https://x/y"', {"resource_metadata": "https://x/y"}),
        ('Bearer realm="open', {}),
        ("Bearer =x", None),
    ],
)
def test_the_bearer_challenge_is_found_among_others(header: str, found: dict[str, str] | None) -> None:
    """Quoted or not, in any place, in any case, and broken."""
    assert found == bearer(header)


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "header", ['Bearer a="' + "\\" * 100_000, "Bearer " + "a=b," * 50_000, "a " * 100_000, '="' * 50_000]
)
def test_a_hostile_header_is_read_in_no_time(header: str) -> None:
    """A cut one; but even whole it costs little."""
    bearer(header)

    assert len(Seen("https://x", 401, {"www-authenticate": header}).header("www-authenticate")) <= HEADER_CHARACTERS


def test_text_of_others_is_one_short_printable_line() -> None:
    """Control characters, new lines and writing directions are marked."""
    assert (shown("a\nb\x1b[0m\u202ec"), len(shown("x" * 5000))) == ("a?b?[0m?c", 200)
