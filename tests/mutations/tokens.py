"""Guards of token health: what keeps verdicts right, and what keeps secrets here."""

from tests.mutations.guard import Guard

VERDICTS = "tests/tokens/test_verdicts.py"
SEALED = "tests/tokens/test_sealed.py"
SEALS = "tests/tokens/test_seals.py"
KEYS = "tests/tokens/test_keys.py"
NO_LEAK = "tests/tokens/test_no_leak.py"
CREDENTIALS = "tests/tokens/test_credentials.py"
GRANTS = "tests/tokens/test_grants.py"
PROCESS = "tests/canary/test_process.py"

GUARDS = [
    # Keys.
    Guard("tokens/keys.py", "if len(raw) == KEY_BYTES]", "]", KEYS),
    Guard("tokens/keys.py", "        return \"Key(***)\"", "        return repr(self._secret)", KEYS),
    Guard("tokens/keys.py", "    if given != text:", "    if False:", SEALS),
    Guard("tokens/keys.py", "    if open_to_others(path):", "    if False:", KEYS),
    Guard("tokens/findings.py", "if not key.doubtful or table.tally.opened[key]", "if True", KEYS),
    # Sealed values.
    Guard("tokens/opening.py", "if self._declared in (None, reading.format)]", "]", SEALED),
    Guard("tokens/opening.py", "reading.header or aad", "reading.header or None", SEALED),
    Guard("tokens/stored.py", "text.isascii() and ", "", "tests/tokens/test_odd_values.py"),
    Guard("tokens/table.py", "self.moved |= bindings.moved(opener.peek)", "pass", SEALS),
    Guard("tokens/bindings.py", "MOST_TRIES // len(shut) if shut else 0", "0", SEALS),
    Guard("tokens/seals.py", "    if tally.zero_nonces:", "    if False:", SEALS),
    Guard("tokens/seals.py", "    if table.tally.duplicates:", "    if False:", SEALS),
    Guard("tokens/seals.py", "    elif max(opens) < min(closed):", "    elif False:", SEALS),
    Guard("tokens/verdicts.py", "2 * sum(index in table.odd for index in opened)", "0", SEALS),
    # Verdicts.
    Guard("tokens/verdicts.py", "        and error_at < success\n", "", VERDICTS),
    Guard("tokens/verdicts.py", "    if judged.keyed and states & SHUT:", "    if states & SHUT:", "tests/tokens/test_crypto.py " + VERDICTS + " " + NO_LEAK),
    Guard("tokens/loop.py", "and active and oldest", "and oldest", VERDICTS),
    Guard("tokens/leftovers.py", "at[0] < now - LIVE_SECONDS", "True", "tests/tokens/test_leftovers.py"),
    # What is shown.
    Guard("tools/portal.py", "columns = replace(columns, hidden=_hidden(source, columns))", "pass", NO_LEAK),
    Guard("tools/portal.py", "if position and not secret_name(str(name))]", "if position]", NO_LEAK),
    Guard("tokens/health.py", "not hidden and ", "", NO_LEAK),
    # Remote: the key stays, and only SELECT is sent.
    Guard("tools/portal.py", "        connection.authorizer = Guard(table_names(connection))\n", "", "tests/tokens/test_remote.py"),
    # Cloudflare's credentials.
    Guard("tokens/credentials.py", "            if isinstance(error, RejectedCredentials):\n                continue", "            pass", CREDENTIALS),
    Guard("tokens/credentials.py", 'asked_all = token.kind in ("oauth", "user") or account is not None', "asked_all = True", CREDENTIALS),
    Guard("tokens/credentials.py", '    if kind == "global":\n        return ApiToken(kind, "rejected")\n', "", CREDENTIALS),
    Guard("tokens/credentials.py", "    if token.problem is not None:\n        return None\n    try:", "    try:", CREDENTIALS),
    Guard("tokens/login.py", 'if held[0] and ends is not None and ends > now', 'if held[0]', CREDENTIALS),
    Guard("tokens/modes.py", "mode & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH)", "0", CREDENTIALS),
    Guard("tools/tokens.py", "beside=cursor is None", "beside=True", CREDENTIALS),
    Guard("tools/credentials.py", "        if token.problem is None:\n", "        if True:\n", "tests/tokens/test_asked_once.py"),
    # Grants.
    Guard("tokens/grants.py", "if expiration is not None and expiration <= now:", "if False:", GRANTS),
    Guard("tokens/grants.py", 'and "://" not in grant.client', "", GRANTS),
    Guard("tokens/grants.py", "return ends_soon and not listed.tokens[grant.mark]", "return ends_soon", GRANTS),
    # The choke points: canaries come out where one is taken away.
    Guard("toolbox.py", "clean = app.redact(without_surrogates(text))", "clean = without_surrogates(text)", f"{PROCESS} -k leaves_the_server"),
    Guard("server/resources.py", "opened.redact(text)", "text", f"{PROCESS} -k leaves_the_server"),
    Guard("knowledge/retrieval/index.py", "    text = SHAPES.sub(", "    SHAPES.sub(", f"{PROCESS} -k leaves_the_server"),
    Guard("knowledge/remembering.py", 'not shaped(answer.decode("latin-1"))', "True", f"{PROCESS} -k leaves_the_server"),
    Guard("server/logs.py", "    threading.excepthook = of_a_thread", "    pass", "tests/canary/test_log.py"),
    Guard("setup/doctor.py", "sys.stdout.write(app.redact(text))", "sys.stdout.write(text)", "tests/setup/test_doctor.py"),
    Guard("cli.py", 'its own: {where(error)}', 'its own: {error}', f"{PROCESS} -k scandir"),
    Guard("server/faults.py", '"The server failed; its log (stderr) says where."', "str(error)", f"{PROCESS} -k scandir"),
    Guard("server/logs.py", 'return "" if ei[1] is None else where(ei[1])', "return super().formatException(ei)", "tests/canary/test_log.py"),
    Guard("toolbox.py", "failure(fault, task_id, called.component)", "failure(type(fault)(str(error), advice=fault.advice), task_id, called.component)", f"{PROCESS} -k scandir"),
]  # fmt: skip
