"""Guards of KV, of what is deployed, and of the status of everything."""

from tests.mutations.guard import Guard

LOCAL, TAMPERED = "tests/kv/test_local.py", "tests/kv/test_tampered.py"
REMOTE, MASKING = "tests/kv/test_remote.py", "tests/kv/test_masking.py"
DEPLOYED = "tests/workers_remote/test_deployments.py"
CREW, STATUS = "tests/status/test_crew.py", "tests/status/test_status.py"
GUARDS = [
    Guard("workers/kv/local.py", "            connection.authorizer = _only_entries\n", "", TAMPERED),
    Guard("workers/kv/local.py", "not BLOB.fullmatch(blob) or", "", TAMPERED),
    Guard("workers/kv/local.py", "if folder.resolve(strict=True) != folder:", "if False:", TAMPERED),
    Guard("workers/kv/local.py", '("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")', '("O_NONBLOCK", "O_BINARY")', TAMPERED),
    Guard("workers/kv/local.py", "if not stat.S_ISREG(about.st_mode):", "if False:", TAMPERED),
    Guard("workers/kv/local.py", 'name = UNFIT.sub("_", local_id)[:255]', "name = local_id", TAMPERED),
    Guard("workers/kv/local.py", "            if _gone(expiration, now):", "            if False:", LOCAL),
    Guard("workers/kv/local.py", "if row is None or _gone(row[1], now):", "if row is None:", LOCAL),
    Guard("workers/kv/keys.py", "    if too_deep(value):", "    if False:", TAMPERED),
    Guard("workers/kv/keys.py", "parse_constant=_refuse", "parse_constant=float", TAMPERED),
    Guard("tools/kv.py", 'text in (".", "..")', "False", LOCAL),
    Guard("workers/kv/value.py", "    if masking.whole_value(stored.key.name):", "    if False:", MASKING),
    Guard("workers/kv/value.py", "MASK if provider else masking.text(text)", "masking.text(text)", MASKING),
    Guard("workers/kv/value.py", "stored.size > READ_BYTES or len(stored.data) > READ_BYTES", "False", LOCAL),
    Guard("workers/kv/masking.py", "            return found[0] + MASK\n", "            return name\n", MASKING),
    Guard("workers/kv/masking.py", "key not in PROVIDER_SHOWN if provider else", "", MASKING),
    Guard("workers/kv/masking.py", 'or (key == "value" and entry)', "", MASKING),
    Guard("workers/kv/masking.py", "        if flattened(value):", "        if False:", MASKING),
    Guard("workers/kv/masking.py", "        if random_looking(text):", "        if False:", MASKING),
    Guard("workers/kv/masking.py", "SHAPES.sub(MASK, self._without_named(text))", "SHAPES.sub(MASK, text)", MASKING),
    Guard("workers/kv/masking.py", "could_be_id or random_looking(part)", "random_looking(part)", MASKING),
    Guard("workers/kv/masking.py", "            if self.bearing(parts[place]):", "            if False:", MASKING),
    Guard("workers/kv/masking.py", " or _named(name, columns)\n", "\n", MASKING),
    Guard("workers/kv/devalue.py", "left < 0 or number in above or", "", MASKING),
    Guard(
        "tools/kv.py",
        "encode_cursor(skip + count, mark)",
        "encode_cursor(skip + count, listed.keys[-1].name)",
        f"{LOCAL} {MASKING}",
    ),
    Guard("tools/kv.py", "[remote.EVENTUAL] if namespace.location", "[] if namespace.location", REMOTE),
    Guard("workers/deployments/account.py", "error.upstream.code == NO_ROUTE:", "False:", DEPLOYED),
    Guard(
        "workers/deployments/account.py",
        "Failure(message=Masking().text(message)",
        "Failure(message=(message)",
        DEPLOYED,
    ),
    Guard(
        "workers/deployments/account.py",
        "message=Masking().text(message)[:MESSAGE] if message",
        "message=message if message",
        DEPLOYED,
    ),
    Guard("workers/deployments/account.py", '            "dry": True,\n', "", DEPLOYED),
    Guard("workers/deployments/deployed.py", "if isinstance(error, SourceError)", "if False", DEPLOYED),
    Guard("crew.py", "if before is None or not before.is_alive():", "if True:", CREW),
    Guard("crew.py", "timeout=seconds", "timeout=5", CREW),
    Guard("crew.py", "        stop()\n        with self._lock:", "        with self._lock:", CREW),
    Guard("crew.py", "        with stoppable(stop):", "        with stoppable(lambda: None):", CREW),
    Guard("tools/harm.py", '        if each.severity != "info":\n', "", "tests/status/test_harm.py"),
    Guard("tools/status.py", 'any(each.kind != "absent" for each in unseen)', "bool(unseen)", STATUS),
]
