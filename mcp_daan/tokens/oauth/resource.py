"""RS and PRM: what a protected resource answers, and what its metadata says."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from mcp_daan.tokens.oauth.issuer import validity
from mcp_daan.tokens.oauth.judging import (
    Outcome,
    Unjudged,
    answered,
    blocked,
    holds,
    lacks,
    listing,
    path_of,
    secure,
    skipped,
    stopped,
    strings,
    when,
)
from mcp_daan.tokens.oauth.seen import Document, Seen, bearer
from mcp_daan.tokens.oauth.survey import Survey


def _refusal(survey: Survey) -> Seen:
    """The answer without a token, if it is a 401."""
    bare = answered(survey.resource.bare, "")
    if bare.status != 401:
        raise Unjudged(skipped(f"the resource gives no 401 (RS-401): {bare.told}"))
    return bare


def _challenge(survey: Survey) -> Mapping[str, str]:
    _refusal(survey)
    found = survey.resource.challenge
    if found is None:
        raise Unjudged(skipped("there is no Bearer challenge (RS-SCHEME)"))
    return found


def _metadata(survey: Survey) -> Mapping[str, Any]:
    if survey.resource.document is None:
        if why := stopped(survey.resource.places):
            raise Unjudged(blocked(why))
        raise Unjudged(skipped("there is no metadata (RS-DISC)"))
    return survey.resource.value


def _answers_401(survey: Survey) -> Outcome:
    bare = answered(survey.resource.bare, "")
    if bare.status == 405:
        # A resource may take POST alone; whether it asks for a token then, GET cannot tell.
        return lacks("405: GET is turned away before a token is asked for", "warning")
    return when(bare.status == 401, bare.told)


def _scheme(survey: Survey) -> Outcome:
    bare = _refusal(survey)
    header = bare.header("www-authenticate")
    return when(
        survey.resource.challenge is not None,
        "Bearer",
        f"WWW-Authenticate: {header}" if header else "no WWW-Authenticate",
    )


def _names_metadata(survey: Survey) -> Outcome:
    found = _challenge(survey).get("resource_metadata")
    severity = None if survey.resource.document else "error"
    if found is None:
        return lacks("no resource_metadata", "error" if severity else None)
    return (
        holds(found) if secure(found) else lacks(f"not an absolute https URL: {found}", "error" if severity else None)
    )


def _discovered(survey: Survey) -> Outcome:
    document = survey.resource.document
    if document is None:
        places = survey.resource.places
        if why := stopped(places):
            return blocked(why)
        return lacks("; ".join(_told(each) for each in places))
    return holds(f"at {document.url}")


def _told(document: Document) -> str:
    return f"{path_of(document.url)}: {document.fault or 'an object without `resource`'}"


def _advertised_alive(survey: Survey) -> Outcome:
    _challenge(survey)
    document = survey.resource.advertised
    if document is None:
        return skipped("no resource_metadata (RS-RM)")
    if document.stopped:
        return blocked(document.stopped)
    return when(not document.fault, "200 application/json", document.fault)


def _scope(survey: Survey) -> Outcome:
    scope = _challenge(survey).get("scope")
    if scope is None:
        return lacks("no scope")
    return lacks(f"scope={scope}", "warning") if "offline_access" in scope.split() else holds(f"scope={scope}")


def _no_error(survey: Survey) -> Outcome:
    found = _challenge(survey).get("error")
    return when(found is None, "no error", f"error={found}")


def _bad_token(survey: Survey) -> Outcome:
    _refusal(survey)
    seen = answered(survey.resource.bad_token, "")
    error = (bearer(seen.header("www-authenticate")) or {}).get("error")
    return when(
        seen.status == 401 and error == "invalid_token", f"{seen.status}, {f'error={error}' if error else 'no error'}"
    )


def _token_in_url(survey: Survey) -> Outcome:
    bare = _refusal(survey)
    seen = answered(survey.resource.in_query, "")
    before, after = (bearer(each.header("www-authenticate")) or {} for each in (bare, seen))
    same = (seen.status, after.get("error")) == (bare.status, before.get("error"))
    return when(same, "the same answer", f"{seen.told}, error={after.get('error')}: the token was read")


def _exposed(survey: Survey) -> Outcome:
    seen = answered(survey.resource.from_afar, "")
    header = seen.header("access-control-expose-headers")
    names = {each.strip().lower() for each in header.split(",")}
    return when(bool(names & {"www-authenticate", "*"}), header, header or "no Access-Control-Expose-Headers")


def _served(survey: Survey) -> Outcome:
    # Without one that can be used, what stands where clients look first is what there is to mend.
    document = survey.resource.document or survey.resource.places[0]
    if survey.resource.document is None and (why := stopped(survey.resource.places)):
        return blocked(why)
    return when(not document.fault, f"200 application/json at {document.url}", _told(document))


def _at_path(survey: Survey) -> Outcome:
    document = survey.resource.inserted
    if document.stopped:
        return blocked(document.stopped)
    good = document.value is not None and "resource" in document.value
    return when(good, document.url, _told(document))


def _at_root(survey: Survey) -> Outcome:
    document = survey.resource.at_root
    if document.stopped:
        return blocked(document.stopped)
    if document.value is None:
        return when(document.seen.status in (404, 410), document.seen.told)
    parts = urlsplit(document.url)
    root = f"{parts.scheme}://{parts.netloc}"
    resource = document.value.get("resource")
    return when(resource in (root, f"{root}/"), f"resource {resource}", f"at the root, but of {resource}")


def _identical(survey: Survey) -> Outcome:
    stated, called = _metadata(survey).get("resource"), survey.resource.url
    slash = isinstance(stated, str) and stated.removesuffix("/") == called.removesuffix("/")
    return when(stated == called, stated, f"{stated}{' (the trailing slash differs)' if slash else ''}")


def _canonical(survey: Survey) -> Outcome:
    stated = _metadata(survey).get("resource")
    if not isinstance(stated, str) or not secure(stated):
        return lacks(f"not an absolute https URL: {stated}")
    parts = urlsplit(stated)
    host = parts.netloc.rpartition("@")[2]
    faults = [
        name
        for name, there in (
            ("a fragment", "#" in stated),
            ("a query", "?" in stated),
            ("capitals in the host", host != host.lower()),
            ("a trailing slash", stated.endswith("/")),
        )
        if there
    ]
    return when(not faults, stated, f"{' and '.join(faults)}: {stated}")


def _names_issuers(survey: Survey) -> Outcome:
    named = strings(_metadata(survey), "authorization_servers")
    if not named:
        return lacks("none")
    bad = [each for each in named if not secure(each) or "?" in each or "#" in each]
    return when(not bad, listing(named), f"not an https issuer: {listing(bad)}")


def _issuers_alive(survey: Survey) -> Outcome:
    _metadata(survey)
    stated = [each for each in survey.issuers if each.stated]
    if not stated:
        return skipped("no issuer is named (PRM-AS)")
    faults = [(each, validity(each)) for each in stated]
    if bad := [f"{each.name}: {fault}" for each, fault in faults if fault and not stopped(each.documents)]:
        return lacks("; ".join(bad))
    if any(fault for _, fault in faults):
        return blocked("; ".join(f"{each.name}: {fault}" for each, fault in faults if fault))
    return holds(listing([each.name for each in stated]))


def _scopes(survey: Survey) -> Outcome:
    scopes = strings(_metadata(survey), "scopes_supported")
    if scopes is None:
        return lacks("absent")
    return lacks(listing(scopes), "warning") if "offline_access" in scopes else holds(listing(scopes))


def _named(survey: Survey) -> Outcome:
    name = _metadata(survey).get("resource_name")
    return when(bool(name) and isinstance(name, str), name, "absent")


def _bearer_methods(survey: Survey) -> Outcome:
    methods = strings(_metadata(survey), "bearer_methods_supported")
    if methods is None:
        return holds("not stated")
    return when("header" in methods and "query" not in methods, listing(methods))


def _no_empty(survey: Survey) -> Outcome:
    empty = [name for name, value in _metadata(survey).items() if value == [] and name != "bearer_methods_supported"]
    return when(not empty, "none is empty", f"empty: {listing(empty)}")


def _no_none(survey: Survey) -> Outcome:
    values = strings(_metadata(survey), "resource_signing_alg_values_supported") or []
    return when("none" not in values, listing(values) if values else "not stated")


def _dpop(survey: Survey) -> Outcome:
    if _metadata(survey).get("dpop_bound_access_tokens_required") is not True:
        return holds("not required")
    offered = strings(survey.issuer.value, "dpop_signing_alg_values_supported")
    return when(bool(offered), listing(offered or []), "required, and not offered")


JUDGES: dict[str, Callable[[Survey], Outcome]] = {
    "RS-401": _answers_401,
    "RS-SCHEME": _scheme,
    "RS-RM": _names_metadata,
    "RS-DISC": _discovered,
    "RS-RM-ALIVE": _advertised_alive,
    "RS-SCOPE": _scope,
    "RS-NOERR": _no_error,
    "RS-BADTOK": _bad_token,
    "RS-QTOK": _token_in_url,
    "RS-EXPOSE": _exposed,
    "PRM-200": _served,
    "PRM-PATH": _at_path,
    "PRM-ROOT": _at_root,
    "PRM-IDENT": _identical,
    "PRM-FORM": _canonical,
    "PRM-AS": _names_issuers,
    "PRM-AS-LIVE": _issuers_alive,
    "PRM-SCOPES": _scopes,
    "PRM-NAME": _named,
    "PRM-BEARER": _bearer_methods,
    "PRM-NOEMPTY": _no_empty,
    "PRM-NONE": _no_none,
    "PRM-DPOP": _dpop,
}
