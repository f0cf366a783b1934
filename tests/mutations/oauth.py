"""Guards of the OAuth checks."""

from tests.mutations.guard import Guard

BOUNDS = "tests/oauth/test_bounds.py"
AMOUNTS = "tests/oauth/test_amounts.py"
ADDRESSES = "tests/oauth/test_addresses.py"

GUARDS = [
    # Where it may go.
    Guard("tokens/oauth/fetching.py", "        self.rules.admit_addresses(origin, addresses)\n", "", BOUNDS),
    Guard(
        "tokens/oauth/fetching.py",
        "        origin = self.rules.admit(url)\n",
        "        from mcp_daan.tokens.oauth.rules import origin_of\n\n        origin = origin_of(url)\n",
        BOUNDS,
    ),
    Guard("tokens/oauth/fetching.py", "if host not in self._addresses:", "if True:", BOUNDS),
    Guard("tokens/oauth/fetching.py", "parsed.copy_with(host=address, fragment=None)", "parsed", BOUNDS),
    Guard(
        "tokens/oauth/fetching.py",
        "            if downgrade(seen.url, to):",
        "            if False:",
        "tests/oauth/test_tls.py",
    ),
    Guard(
        "tokens/oauth/fetching.py", "            if len(hops) == MOST_HOPS:", "            if len(hops) == 50:", BOUNDS
    ),
    Guard(
        "tokens/oauth/fetching.py", '"sni_hostname": parsed.raw_host.decode("ascii"), ', "", "tests/oauth/test_tls.py"
    ),
    Guard("tokens/oauth/fetching.py", "verify=httpx2.create_ssl_context()", "verify=False", "tests/oauth/test_tls.py"),
    Guard(
        "tokens/oauth/rules.py", "if not self.own(origin) and origin.port != PORTS[origin.scheme]:", "if False:", BOUNDS
    ),
    Guard("tokens/oauth/rules.py", "(self.own(origin) and may_be_home(address))", "may_be_home(address)", BOUNDS),
    Guard("tokens/oauth/rules.py", "(self.own(origin) and may_be_home(address))", "self.own(origin)", BOUNDS),
    Guard(
        "tokens/oauth/rules.py",
        "return self.portal is not None and origin == self.portal",
        "return self.portal is not None and origin.host == self.portal.host",
        ADDRESSES,
    ),
    Guard("tokens/oauth/rules.py", "    if parsed.userinfo:\n", "    if False:\n", ADDRESSES),
    Guard("addresses.py", "address in GIVEN_OUT_V6 and ", "", ADDRESSES),
    Guard("addresses.py", " and not any(address in network for network in SPECIAL_V6)", "", ADDRESSES),
    Guard("addresses.py", " 169.254.0.0/16", "", ADDRESSES),
    Guard("tokens/oauth/addresses.py", " and address not in METADATA", "", BOUNDS),
    # What is sent.
    Guard(
        "tokens/oauth/fetching.py",
        "if self._active and self.rules.own(self.rules.admit(url)):",
        "if self._active:",
        BOUNDS,
    ),
    Guard(
        "tokens/oauth/fetching.py",
        "if self._active and self.rules.own(self.rules.admit(url)):",
        "if self.rules.own(self.rules.admit(url)):",
        BOUNDS,
    ),
    Guard("tokens/oauth/probing.py", "    if not own:\n", "    if False:\n", BOUNDS),
    Guard("tokens/oauth/authorizing.py", "        if not _own(fetching, to):\n", "        if False:\n", BOUNDS),
    Guard("tokens/oauth/examine.py", "        if not active:\n", "        if False:\n", "tests/oauth/test_servers.py"),
    Guard("tools/oauth.py", 'if _origin(address, "url") != portal and active:', "if False:", BOUNDS),
    # How much, and how long.
    Guard(
        "tokens/oauth/fetching.py", "                if len(taken) > BODY_BYTES:", "                if False:", AMOUNTS
    ),
    Guard(
        "tokens/oauth/fetching.py",
        "        async with asyncio.timeout(BODY_SECONDS):",
        "        async with asyncio.timeout(60):",
        AMOUNTS,
    ),
    Guard(
        "tokens/oauth/fetching.py",
        "                async with asyncio.timeout(left):",
        "                async with asyncio.timeout(60):",
        AMOUNTS,
    ),
    Guard("tokens/oauth/fetching.py", "            if left <= 0:", "            if False:", AMOUNTS),
    Guard(
        "tokens/oauth/seen.py", 'if self.seen.header("content-encoding") not in ("", "identity"):', "if False:", AMOUNTS
    ),
    Guard(
        "tokens/oauth/seen.py",
        'self.headers.get(name, "")[:HEADER_CHARACTERS]',
        'self.headers.get(name, "")',
        "tests/oauth/test_challenge.py",
    ),
    # What is shown.
    Guard("tokens/oauth/seen.py", 'each if each.isprintable() else "?"', "each", "tests/oauth/test_traps.py"),
    Guard(
        "tokens/oauth/issuer.py",
        "sorted(PRIVATE & {name for key in _keys(survey) for name in key})",
        "[f'{name} {key[name]}' for key in _keys(survey) for name in key if name in PRIVATE]",
        "tests/oauth/test_traps.py",
    ),
]
