"""What a caller without the right token is told (RFC 6750), and where it learns to get one (RFC 9728)."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

WELL_KNOWN = "/.well-known/oauth-protected-resource"


class Challenge:
    """The answers 401 and 403 for *resource*, the address that clients use; *issuer* gives out its tokens."""

    def __init__(self, resource: str, issuer: str | None, scopes: Iterable[str]) -> None:
        self._resource, self._issuer, self._scopes = resource, issuer, list(scopes)
        parts = urlsplit(resource)
        self.path = f"{WELL_KNOWN}{parts.path.rstrip('/')}"
        self._metadata = f"{parts.scheme}://{parts.netloc}{self.path}" if issuer else None

    def metadata(self) -> Response:
        """RFC 9728: who gives out tokens for this server, and which scopes there are."""
        told = {
            "resource": self._resource,
            "authorization_servers": [self._issuer],
            "scopes_supported": self._scopes,
            "bearer_methods_supported": ["header"],
            "resource_name": "Daan",
        }
        return JSONResponse(told, headers={"cache-control": "public, max-age=3600", "access-control-allow-origin": "*"})

    def unauthorized(self, reason: str | None) -> Response:
        """401; *reason* is None where there was no token, of which nothing was wrong then."""
        said = {"error": "invalid_token", "error_description": reason} if reason else {}
        return self._response(401, said, "A bearer token is needed." if reason is None else reason)

    def forbidden(self, scope: str) -> Response:
        """403: the token is good, and does not hold *scope*."""
        told = f"the scope {scope} is needed"
        return self._response(403, {"error": "insufficient_scope", "error_description": told, "scope": scope}, told)

    def _response(self, status: int, said: dict[str, str], told: str) -> Response:
        more = {"scope": " ".join(self._scopes)} if status == 401 and self._metadata else {}
        link = {"resource_metadata": self._metadata} if self._metadata else {"realm": "mcp-daan"}
        parameters = ", ".join(f'{name}="{value}"' for name, value in {**said, **more, **link}.items())
        body = {"error": said.get("error", "unauthorized"), "error_description": told}
        return JSONResponse(body, status, {"www-authenticate": f"Bearer {parameters}"})
