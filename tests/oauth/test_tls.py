"""Certificates: trusted, strange, of another name, about to end."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mcp_daan.protocol import Answer
from mcp_daan.tokens.oauth.issuer import serves
from mcp_daan.tokens.oauth.seen import Seen
from tests.oauth.conftest import check, observed, statuses
from tests.oauth.portal import Portal, redirect


def certificate(folder: Path, *, days: float = 90, host: str = "127.0.0.1") -> tuple[str, str]:
    """A certificate for *host* that trusts itself, and its key."""
    named = x509.DNSName(host) if host.isalpha() else x509.IPAddress(ip_address(host))
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    Path(paths[0]).write_bytes(made.public_bytes(serialization.Encoding.PEM))
    Path(paths[1]).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def looked_at(workspace: Path, pair: tuple[str, str]) -> Answer:
    """The answer for a portal with that certificate."""
    with Portal(certificate=pair) as portal:
        portal.good()
        return check(workspace, portal.resource)


def test_a_self_signed_certificate_is_a_finding_and_blocks_the_rest(workspace: Path, tmp_path: Path) -> None:
    """Nothing is read over a connection that anybody may hold the other end of."""
    answer = looked_at(workspace, certificate(tmp_path))

    assert (answer.status, statuses(answer).pop("AS-TLS")) == ("partial", "fail")
    assert observed(answer, "AS-TLS") == "its certificate is not valid"
    assert set(statuses(answer).values()) == {"fail", "blocked", "skipped"}


def test_a_trusted_certificate_passes_and_all_else_is_looked_at(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trust is the environment's own: SSL_CERT_FILE counts."""
    pair = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", pair[0])

    answer = looked_at(workspace, pair)

    assert (answer.status, answer.data["counts"]["fail"], statuses(answer)["AS-TLS"]) == ("complete", 0, "pass")
    assert observed(answer, "AS-TLS") == "TLSv1.3, 89 days left"


def test_a_certificate_that_ends_soon_is_told(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than 14 days."""
    pair = certificate(tmp_path, days=9.5)
    monkeypatch.setenv("SSL_CERT_FILE", pair[0])

    answer = looked_at(workspace, pair)

    assert (statuses(answer)["AS-TLS"], observed(answer, "AS-TLS")) == ("warn", "TLSv1.3, 9 days left")


def test_a_certificate_of_another_name_is_not_taken(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it is trusted: the name counts, whatever address is connected to."""
    pair = certificate(tmp_path, host="127.0.0.9")
    monkeypatch.setenv("SSL_CERT_FILE", pair[0])

    assert statuses(looked_at(workspace, pair))["AS-TLS"] == "fail"


def test_the_certificate_has_to_be_the_names_and_not_the_addresss(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to an address that was checked; the name is verified all the same."""
    pair = certificate(tmp_path, host="localhost")
    monkeypatch.setenv("SSL_CERT_FILE", pair[0])
    with Portal(certificate=pair) as portal:
        named = f"https://localhost:{portal.port}"
        portal.good(named)
        answer = check(workspace, f"{named}/mcp")

    assert (answer.data["counts"]["fail"], statuses(answer)["AS-TLS"]) == (0, "pass")


def test_a_redirect_does_not_lead_from_https_to_http(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody on the way could answer there."""
    pair = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", pair[0])
    with Portal(certificate=pair) as portal:
        portal.good().routes["/.well-known/oauth-protected-resource/mcp"] = redirect("http://portal.invalid/")
        answer = check(workspace, portal.resource)

    assert observed(answer, "RS-RM-ALIVE").endswith("not followed: it leads from https to http")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Seen("http://x", 301, {"location": "https://x/"}), False),
        (Seen("http://x", 404), False),
        (Seen("http://x", problem="connect", reason="no connection"), False),
        (Seen("http://x", 302, {"location": "http://x/login"}), True),
        (Seen("http://x", 200), True),
    ],
)
def test_plain_http_may_lead_to_https_and_serve_nothing(seen: Seen, expected: bool) -> None:
    """Whatever it serves, somebody may read and change."""
    assert expected == serves(seen)
