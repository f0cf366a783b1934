"""AS and CIMD: what an authorization server says of itself, and how it serves it."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from mcp_daan.tokens.oauth.addresses import is_loopback
from mcp_daan.tokens.oauth.judging import (
    Outcome,
    Unjudged,
    answered,
    blocked,
    holds,
    lacks,
    listing,
    origin_text,
    path_of,
    secure,
    skipped,
    stopped,
    strings,
    when,
)
from mcp_daan.tokens.oauth.seen import REDIRECTS, Seen
from mcp_daan.tokens.oauth.survey import Issuer, Survey

NEEDED = ("authorization_endpoint", "token_endpoint")
OTHERS = ("registration_endpoint", "revocation_endpoint", "introspection_endpoint", "jwks_uri")
AGREED = ("issuer", *NEEDED)
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
CERTIFICATE_DAYS = 14
DAY_SECONDS = 86400
CLIENT_BYTES = 5120


def validity(issuer: Issuer) -> str:
    """What is wrong with the metadata of *issuer* as a whole; empty if nothing is."""
    if issuer.document is None:
        return stopped(issuer.documents) or "no metadata is served"
    if issuer.document.fault:
        return issuer.document.fault
    return "" if _same_issuer(issuer) else f"its metadata is of {issuer.value.get('issuer')}"


def _same_issuer(issuer: Issuer) -> bool:
    stated = issuer.value.get("issuer")
    # A guess of ours has no trailing slash to compare.
    return stated == issuer.name or (not issuer.stated and stated == f"{issuer.name}/")


def _metadata(survey: Survey) -> Mapping[str, Any]:
    issuer = survey.issuer
    if issuer.document is None:
        if why := _stopped(survey):
            raise Unjudged(blocked(why))
        raise Unjudged(skipped("there is no metadata (AS-META)"))
    return issuer.value


def _stopped(survey: Survey) -> str:
    return stopped([document for issuer in survey.issuers for document in issuer.documents])


def _found(survey: Survey) -> Outcome:
    document = survey.issuer.document
    if document is None:
        if why := _stopped(survey):
            return blocked(why)
        return lacks(
            "; ".join(f"{path_of(each.url)}: {each.fault}" for each in survey.issuer.documents) or "no location"
        )
    return holds(f"at {document.url}")


def _in_order(survey: Survey) -> Outcome:
    _metadata(survey)
    first, *_ = documents = survey.issuer.documents
    if first.value is None:
        return blocked(first.stopped) if first.stopped else lacks(f"{path_of(first.url)}: {first.fault}")
    values = [each.value for each in documents if each.value is not None]
    differing = [name for name in AGREED if any(value.get(name) != values[0].get(name) for value in values)]
    return when(not differing, f"{len(values)} of {len(documents)} locations", f"they differ in {listing(differing)}")


def _served(survey: Survey) -> Outcome:
    document = survey.issuer.document
    if document is None:
        if why := _stopped(survey):
            return blocked(why)
        first = next(iter(survey.issuer.documents), None)
        return lacks(f"{path_of(first.url)}: {first.fault}" if first else "no location")
    return when(not document.fault, f"200 application/json at {document.url}", document.fault)


def _identical(survey: Survey) -> Outcome:
    stated, named = _metadata(survey).get("issuer"), survey.issuer.name
    return when(_same_issuer(survey.issuer), stated, f"{stated} in place of {named}")


def _form(survey: Survey) -> Outcome:
    stated = _metadata(survey).get("issuer")
    good = isinstance(stated, str) and secure(stated) and not {"?", "#"} & set(stated)
    return when(good, stated)


def _endpoints(survey: Survey) -> Outcome:
    metadata = _metadata(survey)
    given = [name for name in (*NEEDED, *OTHERS) if name in NEEDED or name in metadata]
    bad = [name for name in given if not isinstance(metadata.get(name), str) or not secure(metadata[name])]
    if bad:
        return lacks("; ".join(f"{name}: {metadata.get(name, 'absent')}" for name in bad))
    home = origin_text(str(metadata.get("issuer", "")))
    away = [name for name in given if origin_text(metadata[name]) != home]
    if away:
        return lacks(f"of another origin than the issuer: {listing(away)}", "warning")
    return holds(f"{len(given)} endpoints of the issuer's origin")


def _has(name: str, wanted: str) -> Callable[[Survey], Outcome]:
    def judge(survey: Survey) -> Outcome:
        values = strings(_metadata(survey), name)
        return lacks("absent") if values is None else when(wanted in values, listing(values))

    return judge


def _lacks(name: str, unwanted: str) -> Callable[[Survey], Outcome]:
    def judge(survey: Survey) -> Outcome:
        values = strings(_metadata(survey), name)
        return holds("not stated") if values is None else when(unwanted not in values, listing(values))

    return judge


def _is_true(name: str) -> Callable[[Survey], Outcome]:
    def judge(survey: Survey) -> Outcome:
        value = _metadata(survey).get(name)
        return when(value is True, "true", "absent" if value is None else value)

    return judge


def _no_implicit(survey: Survey) -> Outcome:
    metadata = _metadata(survey)
    grants = strings(metadata, "grant_types_supported")
    types = strings(metadata, "response_types_supported") or []
    direct = [each for each in types if {"token", "id_token"} & set(each.split())]
    if grants is None:
        return lacks("grant_types_supported is absent, which means authorization_code and implicit")
    if "implicit" in grants or direct:
        return lacks(listing([each for each in grants if each == "implicit"] + direct))
    return holds(listing(grants))


def _client_methods(survey: Survey) -> Outcome:
    methods = strings(_metadata(survey), "token_endpoint_auth_methods_supported")
    if methods is None:
        return lacks("absent, which means client_secret_basic")
    return when("none" in methods, listing(methods))


def _algorithms(survey: Survey) -> Outcome:
    metadata = _metadata(survey)
    faults = []
    for place in ("token", "revocation", "introspection"):
        methods = strings(metadata, f"{place}_endpoint_auth_methods_supported") or []
        values = strings(metadata, f"{place}_endpoint_auth_signing_alg_values_supported")
        if any(each.endswith("_jwt") for each in methods) and not values:
            faults.append(f"{place}: a _jwt method without algorithms")
        if "none" in (values or []):
            faults.append(f"{place}: none")
    return when(not faults, "as they should be", "; ".join(faults))


def _registration(survey: Survey) -> Outcome:
    metadata = _metadata(survey)
    if metadata.get("client_id_metadata_document_supported") is True:
        return holds("client ID metadata documents")
    if "registration_endpoint" in metadata:
        return lacks("dynamic registration alone, deprecated since 2026-07-28", "info")
    return lacks("neither client ID metadata documents nor a registration_endpoint")


def _revocation(survey: Survey) -> Outcome:
    value = _metadata(survey).get("revocation_endpoint")
    return when(value is not None, value, "absent")


def _introspection(survey: Survey) -> Outcome:
    metadata = _metadata(survey)
    if "introspection_endpoint" not in metadata:
        return skipped("no introspection_endpoint")
    methods = strings(metadata, "introspection_endpoint_auth_methods_supported")
    if methods is None:
        return lacks("absent, so those of the token endpoint count")
    return when("none" not in methods, listing(methods))


def _dpop(survey: Survey) -> Outcome:
    values = strings(_metadata(survey), "dpop_signing_alg_values_supported")
    if values is None:
        return holds("not offered")
    bad = [each for each in values if each == "none" or each.startswith("HS")]
    return when(not bad, listing(values), listing(bad))


def _cross_reference(survey: Survey) -> Outcome:
    resources = strings(_metadata(survey), "protected_resources")
    if resources is None:
        return holds("not stated")
    ours = survey.resource.value.get("resource", survey.resource.url)
    return when(ours in resources, ours, f"without {ours}: {listing(resources)}")


def _authorize_from_afar(survey: Survey) -> Outcome:
    _metadata(survey)
    seen = answered(survey.authorize_from_afar, "no authorization_endpoint")
    allowed = seen.header("access-control-allow-origin")
    return when(not allowed, "no Access-Control-Allow-Origin", f"Access-Control-Allow-Origin: {allowed}")


def _metadata_from_afar(survey: Survey) -> Outcome:
    _metadata(survey)
    seen = answered(survey.metadata_from_afar, "no metadata")
    allowed = seen.header("access-control-allow-origin")
    return when(bool(allowed), allowed, "no Access-Control-Allow-Origin")


def _keys(survey: Survey) -> list[Mapping[str, Any]]:
    _metadata(survey)
    document = survey.keys
    if document is None:
        raise Unjudged(skipped("no jwks_uri"))
    if document.stopped:
        raise Unjudged(blocked(document.stopped))
    if document.value is None:
        raise Unjudged(lacks(document.fault))
    keys = document.value.get("keys")
    if not isinstance(keys, list) or not all(isinstance(each, dict) for each in keys):
        raise Unjudged(lacks("`keys` is not a list of objects"))
    return keys


def _key_set(survey: Survey) -> Outcome:
    keys = _keys(survey)
    if not keys:
        return lacks("no key")
    names = [str(each["kid"]) for each in keys if "kid" in each]
    if len(keys) > 1 and (len(names) < len(keys) or len(set(names)) < len(names)):
        return lacks(f"{len(keys)} keys, {len(set(names))} kids", "warning")
    uses = {each.get("use") for each in keys}
    if None in uses and len(uses) > 1:
        return lacks("some keys have a use, and some have none", "warning")
    return holds(f"{len(keys)} key{'s' * (len(keys) > 1)}")


def _no_private_key(survey: Survey) -> Outcome:
    found = sorted(PRIVATE & {name for key in _keys(survey) for name in key})
    # The names alone: the values are keys.
    return when(not found, "public parts only", f"private members: {listing(found)}")


def _token_by_get(survey: Survey) -> Outcome:
    _metadata(survey)
    seen = answered(survey.token_endpoint, "no token_endpoint")
    return when(400 <= (seen.status or 0) < 500, seen.told)


def _tls(survey: Survey) -> Outcome:
    resource = survey.resource
    parts = urlsplit(resource.url)
    if parts.scheme == "http":
        local = is_loopback(parts.hostname or "")
        return skipped("plain http on this machine") if local else lacks("plain http")
    bare = resource.bare
    if bare.certificate is None:
        return lacks(bare.reason) if bare.problem == "tls" else blocked(bare.stopped or "no handshake was seen")
    others = [document.seen.certificate for issuer in survey.issuers for document in issuer.documents]
    ends = [each.expires for each in (bare.certificate, *others) if each and each.expires]
    left = min(ends) - survey.now if ends else None
    told = f"{bare.certificate.version}, {left.days} days left" if left else bare.certificate.version
    if resource.insecure is not None and serves(resource.insecure):
        return lacks(f"{told}, but plain http answers {resource.insecure.told}")
    if left is not None and left < timedelta(days=CERTIFICATE_DAYS):
        return lacks(told, "warning")
    return holds(told)


def serves(insecure: Seen) -> bool:
    """Whether plain http gives something else than the way to https."""
    if insecure.status in REDIRECTS:
        return not insecure.location.lower().startswith("https://")
    return insecure.status is not None and insecure.status < 300


def _kept(survey: Survey) -> Outcome:
    _metadata(survey)
    document = survey.issuer.document
    control = document.seen.header("cache-control") if document else ""
    age = re.search(r"max-age\s*=\s*\"?(\d{1,12})", control)
    long = age is not None and int(age[1]) > DAY_SECONDS and "no-store" not in control
    return when(not long, control or "no Cache-Control")


def _own_client(survey: Survey) -> Outcome:
    document, url = survey.client, survey.client_id
    if document is None or url is None:
        return skipped("[oauth] client_id in daan.toml names no document")
    if document.stopped:
        return blocked(document.stopped)
    if document.value is None or document.fault:
        return lacks(document.fault)
    value, parts = document.value, urlsplit(url)
    segments = parts.path.split("/")
    faults = [
        name
        for name, there in (
            (f"over {CLIENT_BYTES} bytes", len(document.seen.body) > CLIENT_BYTES),
            (f"client_id {value.get('client_id')}", value.get("client_id") != url),
            ("no client_name", not value.get("client_name")),
            ("no redirect_uris", not strings(value, "redirect_uris")),
            ("a client secret", any(name.startswith("client_secret") for name in value)),
            ("a URL without a path", parts.path in ("", "/")),
            ("a URL with dot segments or a fragment", bool({".", ".."} & set(segments)) or "#" in url),
            ("a URL that is not https", not secure(url)),
        )
        if there
    ]
    return when(not faults, "valid", "; ".join(faults))


JUDGES: dict[str, Callable[[Survey], Outcome]] = {
    "AS-META": _found,
    "AS-ORDER": _in_order,
    "AS-200": _served,
    "AS-IDENT": _identical,
    "AS-FORM": _form,
    "AS-EP": _endpoints,
    "AS-CODE": _has("response_types_supported", "code"),
    "AS-S256": _has("code_challenge_methods_supported", "S256"),
    "AS-NOPLAIN": _lacks("code_challenge_methods_supported", "plain"),
    "AS-NOIMPL": _no_implicit,
    "AS-NOROPC": _lacks("grant_types_supported", "password"),
    "AS-REFRESH": _has("grant_types_supported", "refresh_token"),
    "AS-AUTHM": _client_methods,
    "AS-AUTHALG": _algorithms,
    "AS-ISSP": _is_true("authorization_response_iss_parameter_supported"),
    "AS-CIMD": _is_true("client_id_metadata_document_supported"),
    "AS-REG": _registration,
    "AS-REVOC": _revocation,
    "AS-INTROAUTH": _introspection,
    "AS-DPOP": _dpop,
    "AS-XREF": _cross_reference,
    "AS-CORS-AZ": _authorize_from_afar,
    "AS-CORS-META": _metadata_from_afar,
    "AS-JWKS": _key_set,
    "AS-JWKSPRIV": _no_private_key,
    "AS-TOKGET": _token_by_get,
    "AS-TLS": _tls,
    "AS-CACHE": _kept,
    "CIMD-DOC": _own_client,
}
