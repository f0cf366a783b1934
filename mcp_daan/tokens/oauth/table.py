"""The checks: what is expected, how grave it is if it does not hold, where it is written, how it is mended.

Of the 81 checks that were drawn up, the nine that need a whole login with a test user are not here:
AZ-307, TK-VERIF, TK-DOWN, TK-REPLAY, TK-ROT, TK-REUSE, TK-AUD, TK-TTL and TK-STEP.
"""

from dataclasses import dataclass
from typing import Literal, cast

from mcp_daan.protocol import Severity

Mode = Literal["passive", "authorize", "post"]


@dataclass(frozen=True)
class Check:
    """One check; `passive` needs nothing but GET, the others are probes of the configured portal."""

    id: str
    mode: Mode
    severity: Severity
    expected: str
    spec: str
    mend: str


_PASSIVE = """
RS-401 | error | Without a token the resource answers 401. | MCP Authorization, Error Handling; RFC 6750 §3 | Answer 401 to every request without a valid token, before anything else is looked at.
RS-SCHEME | error | The 401 has a WWW-Authenticate header with the scheme Bearer. | RFC 6750 §3 | Send `WWW-Authenticate: Bearer …` with every 401.
RS-RM | warning | The Bearer challenge has resource_metadata with an absolute https URL. | RFC 9728 §5.1; MCP Authorization Server Location | Add `resource_metadata="https://…"` to the challenge.
RS-DISC | error | Protected resource metadata is found: advertised, at the inserted path, or at the root. | MCP Protected Resource Metadata Discovery Requirements | Serve the metadata at /.well-known/oauth-protected-resource with the resource's path appended.
RS-RM-ALIVE | error | The advertised metadata URL answers 200 with JSON, without a redirect or a login. | RFC 9728 §5.1, §3.2 | Let the advertised URL serve the document itself, outside every login.
RS-SCOPE | info | The challenge names a scope, and not offline_access. | MCP Scope Selection Strategy; MCP Refresh Tokens | Name the scopes that the resource needs in the challenge; leave offline_access to clients.
RS-NOERR | warning | A request without a token gets a challenge without error. | RFC 6750 §3.1 | Send error codes only when a token was sent.
RS-BADTOK | error | A made-up token gets 401 with error="invalid_token". | RFC 6750 §3.1; MCP Token Handling | Answer a token that is not valid with 401 and `error="invalid_token"`.
RS-QTOK | error | A token in the URL changes nothing. | MCP Token Requirements; OAuth 2.1 §5.1 | Read tokens from the Authorization header only.
RS-EXPOSE | info | Access-Control-Expose-Headers names WWW-Authenticate. | practice: clients in a browser | Add `Access-Control-Expose-Headers: WWW-Authenticate` if clients run in a browser.
PRM-200 | error | The metadata is 200, application/json, an object, without a redirect. | RFC 9728 §3.2 | Serve the document as application/json from its own route, before the route that answers everything.
PRM-PATH | warning | The metadata is served with the resource's path inserted. | RFC 9728 §3.1 | Serve it at /.well-known/oauth-protected-resource followed by the resource's path too.
PRM-ROOT | info | What the root location serves is the root resource's document, or nothing. | RFC 9728 §3.1, §3.3 | Answer 404 at the root location, unless the root is itself a resource.
PRM-IDENT | error | `resource` is, byte for byte, the address that was called. | RFC 9728 §3.3 | Set `resource` to exactly the address that clients use, trailing slash included.
PRM-FORM | warning | `resource` is https, without fragment, query, capitals in the host or trailing slash. | RFC 9728 §1.2; MCP Canonical Server URI | Write `resource` in its canonical form.
PRM-AS | error | `authorization_servers` has at least one https issuer without query or fragment. | MCP Authorization Server Location; RFC 9728 §2 | Name the issuer in `authorization_servers`.
PRM-AS-LIVE | error | Every issuer that is named serves valid metadata. | RFC 9728 §7.6 | Mend or remove the issuers whose metadata cannot be had.
PRM-SCOPES | info | `scopes_supported` is present, without offline_access. | RFC 9728 §2; MCP Refresh Tokens | List the resource's scopes; leave offline_access to the authorization server.
PRM-NAME | info | `resource_name` is present. | RFC 9728 §2 | Add a name that people recognise.
PRM-BEARER | error | `bearer_methods_supported` has header, and not query. | RFC 9728 §2; MCP Token Requirements | Set `bearer_methods_supported` to ["header"].
PRM-NOEMPTY | warning | No member is an empty array. | RFC 9728 §3.2 | Leave members out that have no value.
PRM-NONE | error | `resource_signing_alg_values_supported` is without none. | RFC 9728 §2 | Remove `none`.
PRM-DPOP | error | If DPoP is required, the authorization server offers it. | RFC 9728 §2; RFC 9449 §5.1 | Add `dpop_signing_alg_values_supported` at the authorization server, or do not require DPoP.
AS-META | error | The issuer's metadata is found at one of its locations. | MCP Authorization Server Metadata Discovery; RFC 8414 §3.1 | Serve the metadata at /.well-known/oauth-authorization-server, the issuer's path appended.
AS-ORDER | warning | The first location serves it, and all locations agree. | RFC 8414 §5 | Serve the same document at /.well-known/oauth-authorization-server, which clients ask first.
AS-200 | error | The metadata is 200, application/json, an object, without a redirect. | RFC 8414 §3.2 | Serve the document as application/json from its own route, without redirect or login.
AS-IDENT | error | `issuer` is, byte for byte, the issuer that the location was made from. | RFC 8414 §3.3; MCP Authorization Server Metadata Discovery | Write the issuer alike in both documents, trailing slash included.
AS-FORM | error | `issuer` is https, without query or fragment. | RFC 8414 §2 | Choose an https issuer without query and fragment.
AS-EP | error | Endpoints are absolute https URLs, of the issuer's origin. | RFC 8414 §2; MCP Communication Security | Give every endpoint as an absolute https URL.
AS-CODE | error | `response_types_supported` has code. | RFC 8414 §2 | Add `code`.
AS-S256 | error | `code_challenge_methods_supported` has S256. | MCP Authorization Code Protection | Support PKCE with S256 and say so; clients must refuse without.
AS-NOPLAIN | warning | `code_challenge_methods_supported` is without plain. | RFC 9700 §2.1.1 | Stop accepting `plain`, and remove it.
AS-NOIMPL | warning | No implicit grant, and no response type with a token. | RFC 8414 §2; RFC 9700 §2.1.2 | Remove the implicit grant, and state `grant_types_supported`: left out it means implicit too.
AS-NOROPC | error | `grant_types_supported` is without password. | RFC 9700 §2.4 | Switch the password grant off.
AS-REFRESH | info | `grant_types_supported` has refresh_token. | RFC 8414 §2 | List `refresh_token` if refresh tokens are given out.
AS-AUTHM | warning | `token_endpoint_auth_methods_supported` is stated and has none, for public clients. | RFC 8414 §2; MCP Client Registration | State the methods, with `none` if public clients may come.
AS-AUTHALG | error | With a _jwt method the signing algorithms are stated; none is not among them. | RFC 8414 §2 | State `token_endpoint_auth_signing_alg_values_supported`, without `none`.
AS-ISSP | warning | `authorization_response_iss_parameter_supported` is true. | RFC 9207 §2.3; MCP Authorization Response Validation | Send `iss` with every authorization response, and say so.
AS-CIMD | warning | `client_id_metadata_document_supported` is true. | MCP Client Registration; Client ID Metadata Documents | Support client ID metadata documents; dynamic registration is deprecated since 2026-07-28.
AS-REG | error | A client that nobody knows yet has a way to register. | MCP Client Registration | Support client ID metadata documents, or offer a registration_endpoint.
AS-REVOC | info | `revocation_endpoint` is present. | RFC 7009 §2 | Offer a revocation endpoint.
AS-INTROAUTH | warning | `introspection_endpoint_auth_methods_supported` is stated, without none. | RFC 7662 §2.1; RFC 8414 §2 | State the methods for introspection; left out, those of the token endpoint count.
AS-DPOP | error | DPoP's algorithms are asymmetric. | RFC 9449 §5.1 | Remove `none` and the HS algorithms.
AS-XREF | error | `protected_resources`, if present, has this resource. | RFC 9728 §4 | Add the resource to `protected_resources`, or leave that out.
AS-CORS-AZ | warning | The authorization endpoint allows no other origin to read it. | RFC 9700 §2.6 | Send no Access-Control-Allow-Origin from the authorization endpoint.
AS-CORS-META | info | The metadata may be read from another origin. | RFC 9700 §2.6 | Send `Access-Control-Allow-Origin: *` with the metadata if clients run in a browser.
AS-JWKS | error | The key set is 200 with at least one key, each with a kid of its own. | RFC 8414 §2; RFC 7517 §4 | Serve the public keys at jwks_uri, each with its own kid, and use where kinds are mixed.
AS-JWKSPRIV | error | The key set holds no private part of any key. | RFC 7517 §9.2 | Take the key set down now, make new keys, and publish public parts only.
AS-TOKGET | warning | GET on the token endpoint is turned away with a 4xx. | RFC 6749 §3.2 | Answer anything but POST with 405.
AS-TLS | error | TLS 1.2 or later, a trusted certificate for 14 days or more, and plain http only redirects. | OAuth 2.1 §1.5; MCP Communication Security | Renew the certificate, and let http only redirect.
AS-CACHE | info | The metadata may be kept for a day at most. | practice: stale metadata after a change | Set Cache-Control max-age to 86400 or less.
CIMD-DOC | error | The portal's own client metadata document is valid. | Client ID Metadata Documents §3, §4; MCP Client Registration | Serve it at exactly its client_id as JSON of 5 KB at most, with client_name and redirect_uris, without a secret.
"""

_AUTHORIZE = """
AZ-CLIENT | error | An unknown client gets a 4xx page, and no redirect. | OAuth 2.1 §4.1.2.1; RFC 9700 §4.11 | Show an error page; never redirect for a client that is not known.
AZ-REDIR | error | An address that the client did not register gets a 4xx page, and no redirect. | RFC 9700 §2.1; MCP Open Redirection | Compare redirect_uri with the registered ones as whole strings.
AZ-NOPKCE | error | A request without code_challenge is refused with invalid_request. | RFC 9700 §2.1.1; OAuth 2.1 §4.1.1 | Require PKCE of every client.
AZ-PLAIN | warning | code_challenge_method=plain, or none stated, is refused. | OAuth 2.1 §4.1.1 | Accept S256 only.
AZ-TOKEN | warning | response_type=token is refused with unsupported_response_type. | RFC 9700 §2.1.2 | Switch the implicit grant off.
AZ-ISS | warning | An error redirect has the issuer as its one iss, and the state that was sent. | RFC 9207 §2; MCP Authorization Response Validation | Add iss and state to error redirects too.
AZ-RES | warning | A resource that is not the portal's is refused with invalid_target. | RFC 8707 §2 | Check `resource` against the resources that tokens are given out for.
AZ-LOOP | info | A loopback redirect may use another port. | RFC 9700 §2.1; RFC 8252 §7.3 | Leave the port out of the comparison for 127.0.0.1 and [::1].
AZ-FRAME | warning | The login or consent page may not be framed. | OAuth 2.1 §7, Clickjacking | Send `Content-Security-Policy: frame-ancestors 'none'`.
"""

_POST = """
TK-BADRT | error | A made-up refresh token is refused with 400 invalid_grant, as JSON. | OAuth 2.1 §3.2.4 | Answer with 400 and {"error": "invalid_grant"}.
TK-NOSTORE | error | Answers of the token endpoint have Cache-Control: no-store. | OAuth 2.1 §3.2.3 | Send `Cache-Control: no-store` with every answer of the token endpoint.
TK-CLIENT | warning | An unknown client is refused with invalid_client. | OAuth 2.1 §3.2.4 | Answer 401 and {"error": "invalid_client"}.
TK-ROPC | error | The password grant is refused. | RFC 9700 §2.4 | Switch the password grant off.
RG-BADURI | error | Registration refuses redirect URIs with javascript:, a fragment, or http beyond loopback. | RFC 7591 §3.2.2; RFC 9700 §2.6 | Refuse such URIs with 400 invalid_redirect_uri; remove the client that the probe could register.
RG-NOSEC | warning | A public client gets no client_secret. | RFC 7591 §3.2.1 | Make no secret for token_endpoint_auth_method=none.
RG-SECEXP | warning | A client_secret comes with client_secret_expires_at. | RFC 7591 §3.2.1 | Add client_secret_expires_at, 0 if it does not expire.
RG-NATIVE | info | A native client with a loopback redirect can register. | MCP Dynamic Client Registration, Application Type | Accept application_type=native with http://127.0.0.1 redirects.
RV-200 | warning | Revoking an unknown token is answered with 200. | RFC 7009 §2.2 | Answer 200 whether the token was known or not.
IN-AUTH | warning | Introspection without credentials is refused. | RFC 7662 §2.1 | Require the caller of introspection to authenticate.
CIMD-SSRF | error | A client_id that points to an inner address is refused. | Client ID Metadata Documents, SSRF | Fetch client metadata from public addresses only.
"""


def _rows(mode: Mode, text: str) -> list[Check]:
    rows = []
    for line in text.strip().splitlines():
        name, severity, expected, spec, mend = line.split(" | ")
        rows.append(Check(name, mode, cast(Severity, severity), expected, spec, mend))
    return rows


CHECKS = {
    each.id: each for each in [*_rows("passive", _PASSIVE), *_rows("authorize", _AUTHORIZE), *_rows("post", _POST)]
}
PASSIVE = [each.id for each in CHECKS.values() if each.mode == "passive"]
ACTIVE = [each.id for each in CHECKS.values() if each.mode != "passive"]
