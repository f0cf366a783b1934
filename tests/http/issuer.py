"""A little authorization server: metadata, keys and introspection, over real HTTP."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "https://daan.example.test/mcp"
MAKERS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


class Key:
    """A signing key with its name."""

    def __init__(self, kid: str, algorithm: str = "ES256") -> None:
        self.kid, self.algorithm = kid, algorithm
        self.private: Any = MAKERS[algorithm]()

    @property
    def public(self) -> dict[str, Any]:
        """As the issuer publishes it."""
        made = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private.public_key(), as_dict=True)
        return {**made, "kid": self.kid, "use": "sig"}

    @property
    def pem(self) -> bytes:
        """The public key as text, which everybody knows."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return bytes(self.private.public_key().public_bytes(serialization.Encoding.PEM, form))

    def token(self, claims: Mapping[str, Any], **headers: Any) -> str:
        """*claims*, signed."""
        return jwt.encode(dict(claims), self.private, self.algorithm, headers={"kid": self.kid, **headers})


class Issuer:
    """The authorization server; what it answers can be changed while it runs."""

    def __init__(self) -> None:
        self.keys = [Key("first")]
        self.extra: list[dict[str, Any]] = []
        self.opaque: dict[str, dict[str, Any]] = {}
        self.silent = False
        self.asked: list[tuple[str, str | None, dict[str, list[str]]]] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append((self.path, None, {}))
                found = {
                    "/.well-known/oauth-authorization-server": {
                        "issuer": issuer.url,
                        "jwks_uri": f"{issuer.url}/keys",
                    },
                    "/keys": {"keys": [*(key.public for key in issuer.keys), *issuer.extra]},
                }
                self.answer(found.get(self.path))

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                issuer.asked.append((self.path, self.headers["authorization"], form))
                self.answer(issuer.opaque.get(form["token"][0], {"active": False}))

            def answer(self, body: dict[str, Any] | None) -> None:
                content = json.dumps(body).encode()
                self.send_response(500 if issuer.silent else 404 if body is None else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *said: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The claims of a good token; None leaves one out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "kees", "exp": now + 300, "iat": now, "scope": "d1:read"}
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def token(self, **changed: Any) -> str:
        """A token signed by the first key."""
        return self.keys[0].token(self.claims(**changed))


def unsigned(claims: Mapping[str, Any], header: Mapping[str, Any], secret: bytes = b"") -> str:
    """A token as a forger makes it: with any header, signed by HMAC over *secret* or not at all."""
    parts = [encoded(json.dumps(header).encode()), encoded(json.dumps(claims).encode())]
    signature = hmac.new(secret, ".".join(parts).encode(), hashlib.sha256).digest() if secret else b""
    return ".".join([*parts, encoded(signature)])


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
