"""Guards of serving: switches, HTTP, tokens, OAuth, scopes, limits, audit, cancelling."""

from tests.mutations.guard import Guard

SERVING, OAUTH, TOKENS = "tests/http/test_serving.py", "tests/http/test_oauth.py", "tests/http/test_tokens.py"
DIRECT, PLAIN, SESSION = "tests/http/test_direct.py", "tests/front/test_plain.py", "tests/front/test_session.py"
ORIGINS = "tests/http/test_origins.py"
SWITCHES, LIMITS, WATCHING = (
    "tests/switches/test_switches.py",
    "tests/http/test_limits.py",
    "tests/http/test_watching.py",
)

GUARDS = [
    Guard("server/switches.py", 'and (each["readsOnly"] or not self.read_only)', "", SWITCHES),
    Guard("server/switches.py", "        _check_variables(environment)\n", "", SWITCHES),
    Guard("server/switches.py", "read_only=self.read_only or _yes(read_only)", "read_only=self.read_only", SWITCHES),
    Guard("server/switches.py", "        if name not in known:\n", "        if False:\n", SWITCHES),
    Guard("setup/install.py", ', *_switches(before.get("args"))]', "]", "tests/install/test_install.py"),
    Guard("setup/install.py", "    if not mode & 0o222:", "    if False:", "tests/install/test_install.py"),
    Guard("server/switches.py", " or name.upper() in known)", ")", SWITCHES),
    Guard("server/switches.py", " if not name.strip().startswith(UNFILLED)) or None", ") or None", SWITCHES),
    Guard("cli.py", 'if switch != "--read-only" and words.count(switch) > 1:', "if False:", SWITCHES),
    Guard(
        "server/calls.py", "offered(offer, context).tools.get(params.name)", "Offer().tools.get(params.name)", SWITCHES
    ),
    Guard("server/resources.py", "    if not shown.shows(uri):\n        raise _absent()\n", "", SWITCHES),
    Guard("server/resources.py", " if shown.shows(resource.uri)]", "]", SWITCHES),
    Guard("server/prompts.py", "if brief is None or not shown.holds(*brief.needs):", "if brief is None:", SWITCHES),
    Guard(
        "server/briefs.py",
        '    if key in BEHIND and not offer.holds(BEHIND[key]):\n        return "(not offered here)"\n',
        "",
        SWITCHES,
    ),
    Guard("server/completion.py", "        source = None\n    values", "        pass\n    values", SWITCHES),
    Guard("server/offer.py", "if scope_of(name) in held", "", TOKENS),
    Guard("server/subscriptions.py", "or [] if shown.shows(uri)]", "or []]", TOKENS),
    Guard("server/build.py", '"private" if shared else "public"', '"public"', OAUTH),
    Guard("server/http/serving.py", "    if not place.loopback and kind", "    if False and kind", SERVING),
    Guard("server/http/places.py", "ip_address(self.host).is_loopback", "True", SERVING),
    Guard(
        "server/http/places.py",
        "enable_dns_rebinding_protection=True",
        "enable_dns_rebinding_protection=False",
        ORIGINS,
    ),
    Guard("server/http/gate.py", "value.lower() if name in NAMES else value", "value", ORIGINS),
    Guard(
        "server/http/connections.py",
        "        self._end = self.loop.call_later(SECONDS, transport.close)\n",
        "",
        "tests/http/test_sockets.py",
    ),
    Guard(
        "server/http/connections.py",
        "self._end = self.loop.call_later(SECONDS, self.transport.close)",
        "pass",
        "tests/http/test_sockets.py",
    ),
    Guard("server/http/connections.py", "            self._end.cancel()\n", "", "tests/http/test_sockets.py"),
    Guard(
        "server/http/serving.py",
        '        http="mcp_daan.server.http.connections:Connection",\n',
        "",
        "tests/http/test_sockets.py",
    ),
    Guard("server/http/gate.py", "        if request.method not in self._methods:", "        if False:", SERVING),
    Guard("server/http/gate.py", "        if refused is not None:", "        if False:", ORIGINS),
    Guard(
        "server/http/gate.py",
        "                    if len(body) > self._max_bytes:",
        "                    if False:",
        SERVING,
    ),
    Guard("server/http/gate.py", "if wanted is not None and wanted not in caller.scopes:", "if False:", TOKENS),
    Guard("server/http/gate.py", "            self._limits.take(caller.name)\n", "", LIMITS),
    Guard("server/http/gate.py", 'if self._authentication.kind == "none":', "if True:", TOKENS),
    Guard("server/http/limits.py", "        if left < 1:", "        if False:", LIMITS),
    Guard("server/http/limits.py", "        if self._running[key] >= self._most[kind]:", "        if False:", LIMITS),
    Guard("server/http/tokens.py", "stat.S_IMODE(found.st_mode) & 0o077", "False", TOKENS),
    Guard("server/http/tokens.py", "if grant.live(datetime.now(UTC))", "", TOKENS),
    Guard("server/http/tokens.py", "        if mark != self._seen:", "        if self._seen is None:", TOKENS),
    Guard("server/http/tokens.py", "        with locked(self.path):", "        if True:", TOKENS),
    Guard("server/http/tokens.py", "    if unknown or not wanted:", "    if not wanted:", TOKENS),
    Guard("server/http/tokens.py", "os.O_EXCL, 0o600)", "os.O_EXCL, 0o644)", TOKENS),
    Guard(
        "server/http/signed.py", "if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:", "if False:", OAUTH
    ),
    Guard("server/http/signed.py", "not isinstance(algorithm, str) or algorithm", "algorithm", OAUTH),
    Guard("server/http/signed.py", '"require": ["exp", "iss", "aud"]', '"require": ["iss", "aud"]', OAUTH),
    Guard(
        "server/http/signed.py",
        '"require": ["exp", "iss", "aud"]',
        '"require": ["exp", "iss", "aud"], "verify_aud": False',
        OAUTH,
    ),
    Guard(
        "server/http/signed.py",
        '"require": ["exp", "iss", "aud"]',
        '"require": ["exp", "iss", "aud"], "verify_iss": False',
        OAUTH,
    ),
    Guard(
        "server/http/introspection.py", 'if answer.get("active") is not True:', 'if not answer.get("active"):', OAUTH
    ),
    Guard(
        "server/http/introspection.py",
        "if self._audience not in (meant if isinstance(meant, list) else [meant]):",
        "if False:",
        OAUTH,
    ),
    Guard(
        "server/http/introspection.py",
        'if self._issuer is not None and answer.get("iss", self._issuer) != self._issuer:',
        "if False:",
        OAUTH,
    ),
    Guard("server/http/serving.py", ", socket.SOCK_STREAM, socket.IPPROTO_TCP)", ")", "tests/http/test_sockets.py"),
    Guard("server/http/introspection.py", "or expires <= time.time()", "", OAUTH),
    Guard("server/http/fetching.py", 'or (parts.scheme == "http" and not local)', "", OAUTH),
    Guard("server/records.py", "name in known else None", "True else None", WATCHING),
    Guard("server/audit.py", "with self._lock, locked(self._path):", "with self._lock:", WATCHING),
    Guard("server/http/life.py", "if parent is not None and os.getppid() != parent:", "if False:", WATCHING),
    Guard("d1/pool.py", "                stoppable(self._process.kill),\n", "", "tests/cancelling"),
    Guard("d1/apart.py", "with stoppable(process.kill):", "if True:", "tests/cancelling"),
    Guard("server/calls.py", "        stop.now()\n", "", "tests/cancelling"),
    Guard("server/served.py", "            os._exit(0)\n", "", "tests/cancelling"),
    Guard(
        "server/front/session.py",
        "                return call.stop.now()\n",
        "                return None\n",
        "tests/cancelling",
    ),
    Guard("server/front/session.py", "            call.stop.check()\n", "", "tests/cancelling"),
    Guard(
        "server/front/session.py",
        "            if call not in self._flying:\n                return\n",
        "",
        "tests/front",
    ),
    Guard("server/front/plain.py", " and value.keys() <= known", "", PLAIN),
    Guard("server/front/plain.py", "named and (", "(", PLAIN),
    Guard("server/front/plain.py", '    if b"\\r" in line or', "    if", PLAIN),
    Guard("server/front/plain.py", "isinstance(each, bool) if key in SWITCHES else _objects(each)", "True", PLAIN),
    Guard("server/http/direct.py", "            if key in found:\n                return False\n", "", DIRECT),
    Guard("server/http/direct.py", ' or "progressToken" in params["_meta"]', "", DIRECT),
    Guard("server/http/direct.py", "not plain.has_envelope(params) or", "", DIRECT),
    Guard("server/http/direct.py", 'and found.get(b"mcp-name") == name.encode()', "", DIRECT),
    Guard("server/http/direct.py", '        if key.startswith(b"mcp-param-"):\n            return False\n', "", DIRECT),
    Guard(
        "server/http/direct.py",
        "                call.stop.now()\n                return\n",
        "                return\n",
        DIRECT,
    ),
    Guard("server/http/direct.py", "caller.offer(self._offer).find", "self._offer.find", DIRECT),
]
