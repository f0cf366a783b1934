"""Guards of Cloudflare's API and of remote D1."""

from tests.mutations.guard import Guard

API = "tests/remote/test_cloudflare.py"
STOPPING = "tests/remote/test_stopping.py"
MASKING = "tests/remote/test_masking.py"
QUERY = "tests/remote/test_query.py"
TOOLS = "tests/remote/test_tools.py"
GUARDS = [
    Guard("wire.py", "follow_redirects=False", "follow_redirects=True", f"{API} -k another_host"),
    Guard("wire.py", "                asyncio.timeout(seconds),\n", "", f"{API} -k drips"),
    Guard("wire.py", '{**headers, "Accept-Encoding": "identity"}', "{**headers}", f"{API} -k swells"),
    Guard("wire.py", "        if left < 0:\n            break\n", "", f"{API} -k huge"),
    Guard("envelopes.py", "    if received.cut or ", "    if ", f"{API} -k huge"),
    Guard("envelopes.py", "sum(map(received.body.count, SIGNS)) > MOST_VALUES", "False", f"{API} -k own_words"),
    Guard("cloudflare.py", 'Wire(proxied=self._base.startswith("https"))', "Wire()", f"{API} -k in_the_clear"),
    Guard("envelopes.py", ", parse_constant=_no_constant", "", f"{API} -k own_words"),
    Guard(
        "envelopes.py",
        "    except (ValueError, RecursionError):",
        "    except UnicodeDecodeError:",
        f"{API} -k own_words",
    ),
    Guard("cloudflare.py", "seen.count(kind) < MOST_OF_ONE.get(kind, ATTEMPTS)", "True", f"{API} -k own_words"),
    Guard("cloudflare.py", "again = KINDS[kind].passes and", "again =", f"{API} -k own_words"),
    Guard(
        "cloudflare.py",
        "            if self._rest >= deadline:",
        "            if False:",
        f"{API} -k beyond_the_deadline",
    ),
    Guard("cloudflare.py", " or time.monotonic() + wait >= deadline:", ":", f"{API} -k beyond_the_deadline"),
    Guard("stopping.py", "    with stoppable(over.set):", "    if True:", STOPPING),
    Guard("wire.py", "            with stoppable(end):", "            if True:", STOPPING),
    Guard("cloudflare.py", "page.result == before", "False", f"{API} -k never_for_ever"),
    Guard(
        "cloudflare.py",
        '(parts.scheme == "http" and parts.hostname in LOOPBACK)',
        'parts.scheme == "http"',
        f"{API} -k in_the_clear",
    ),
    Guard("cloudflare.py", "or parts.username or parts.password", "", f"{API} -k in_the_clear"),
    Guard("cloudflare.py", "quote(part, safe='')", "part", f"{API} -k parts_of_a_path"),
    Guard(
        "cloudflare.py", 'if any(part in ("", ".", "..") for part in parts):', "if False:", f"{API} -k parts_of_a_path"
    ),
    Guard("cloudflare.py", "not token.isascii() or not token.isprintable() or ", "", f"{API} -k no_header"),
    Guard(
        "cloudflare.py",
        '        return "Cloudflare(***)"',
        "        return repr(self._headers)",
        f"{API} -k shows_the_token",
    ),
    Guard(
        "cloudflare.py",
        '        raise TypeError("a token is not pickled")',
        '        return (str, ("",))',
        f"{API} -k shows_the_token",
    ),
    Guard("variables.py", " if not value.startswith(UNFILLED)", "", f"{TOOLS} -k did_not_fill_in"),
    Guard(
        "d1/remote/access.py",
        'if meta.get("changed_db") or meta.get("rows_written"):',
        "if False:",
        f"{QUERY} -k wrote_after_all",
    ),
    Guard(
        "d1/remote/access.py", "not all(_fits(row, len(columns)) for row in rows)", "False", f"{QUERY} -k of_d1s_form"
    ),
    Guard("d1/remote/access.py", "len(result) == 1", "result", f"{QUERY} -k of_d1s_form"),
    Guard(
        "d1/remote/query.py",
        "if self.schemas.read(remote) == schema:\n                return",
        "if True:\n                return",
        f"{QUERY} -k meanwhile",
    ),
    Guard(
        "d1/remote/query.py", "if fresh or self.schemas.read(remote) == schema:", "if True:", f"{QUERY} -k meanwhile"
    ),
    Guard(
        "d1/remote/query.py",
        'and _walks(remote, asked(chosen), sent, order["indexes"])',
        "and False",
        f"{MASKING} -k order_of_a_secret",
    ),
    Guard("d1/remote/query.py", "if not is_mended(answer.rows):", "if True:", f"{QUERY} -k stands_in_the_database"),
    Guard("d1/remote/query.py", "_digest(before) != place.seen", "False", f"{QUERY} -k change_before"),
    Guard("d1/remote/query.py", "abs(value) > SAFE_INTEGER:", "False:", f"{QUERY} -k parameters_come"),
    Guard(
        "d1/remote/pages.py",
        '"NULL" if hidden else _sent(c, exactly)',
        "_sent(c, exactly)",
        f"{MASKING} -k never_leave",
    ),
    Guard("d1/remote/pages.py", "    if size > SQL_BYTES:", "    if False:", f"{QUERY} -k too_long"),
    Guard("d1/remote/plain.py", "    _judge(connection, sql, masks, secrets)\n", "", f"{MASKING} -k never_sent"),
    Guard("d1/remote/plain.py", "_judge(connection, explained, None, secrets)", "pass", f"{MASKING} -k never_sent"),
    Guard("d1/remote/shadow.py", "return len(begun) == 1 and", "return", "tests/remote/test_shadow.py"),
    Guard("d1/remote/shadow.py", 'tokens(statement)[0].word == "CREATE"', "True", "tests/remote/test_shadow.py"),
    Guard(
        "d1/turns.py", "self._waiting.popleft().set()", "self._waiting.pop().set()", "tests/d1/test_pool.py -k fifty"
    ),
    Guard("d1/migrations.py", 'if kinds != [("table",)]:', "if not kinds:", "tests/d1/test_migrations.py"),
    Guard("d1/migrations.py", "WHERE hidden = 0", "", "tests/d1/test_migrations.py"),
]
