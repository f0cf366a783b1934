"""Guards of reading D1."""

from tests.mutations.guard import Guard

GUARDS = [
    Guard("d1/guard.py", 'if schema not in (None, "main"):', "if False:", "tests/d1/test_guard.py"),
    Guard("d1/guard.py", "        if internal(table):\n", "        if False:\n", "tests/d1/test_guard.py"),
    Guard(
        "d1/guard.py", "if argument is not None and internal(argument.lower()):", "if False:", "tests/d1/test_guard.py"
    ),
    Guard(
        "d1/guard.py",
        "return apsw.SQLITE_OK if name in FUNCTIONS else",
        "return apsw.SQLITE_OK if True else",
        "tests/d1/test_guard.py",
    ),
    Guard(
        "d1/guard.py", 'return self._deny("It does more than read.")', "return apsw.SQLITE_OK", "tests/d1/test_guard.py"
    ),
    Guard(
        "d1/guard.py",
        "if name in (PRAGMAS if argument is None else PRAGMAS_WITH_NAME):",
        "if name in PRAGMAS | PRAGMAS_WITH_NAME:",
        "tests/d1/test_guard.py",
    ),
    Guard(
        "d1/guard.py",
        "apsw.SQLITE_IGNORE if (table, column) in self._secrets else apsw.SQLITE_OK",
        "apsw.SQLITE_OK",
        "tests/d1/test_query.py",
    ),
    Guard("sqlite_files.py", "    connection.drop_modules(modules)\n", "", "tests/d1/test_guard.py"),
    Guard("d1/guard.py", "        connection.limit(which, value)", "        pass", "tests/d1/test_guard.py"),
    Guard("d1/statement.py", "if not blank(connection, sql[len(statement) :]):", "if False:", "tests/d1/test_guard.py"),
    Guard("d1/statement.py", "if not cursor.is_readonly:", "if False:", "tests/d1/test_guard.py"),
    Guard("d1/statement.py", "if not cursor.has_vdbe:", "if False:", "tests/d1/test_guard.py"),
    Guard("d1/statement.py", "    if size > SQL_BYTES:", "    if False:", "tests/d1/test_guard.py"),
    Guard("d1/page.py", "hidden if is_masked else", "hidden if False else", "tests/d1/test_query.py"),
    Guard("d1/page.py", "        if room < 0:", "        if False:", "tests/d1/test_query.py"),
    Guard("d1/page.py", "        if most > left:\n", "        if False:\n", "tests/d1/test_page.py"),
    Guard("d1/page.py", "if batch and most + size > left:", "if False:", "tests/d1/test_page.py"),
    Guard("d1/page.py", "FORM, MOST_JSON_BYTES = 2, 6", "FORM, MOST_JSON_BYTES = 2, 5", "tests/d1/test_page.py"),
    Guard("d1/page.py", "FORM, MOST_JSON_BYTES = 2, 6", "FORM, MOST_JSON_BYTES = 4, 6", "tests/d1/test_page.py"),
    Guard(
        "d1/statement.py",
        "connection.execute(masks.statement, parameters)",
        "connection.execute(sql, parameters)",
        "tests/d1/test_query.py",
    ),
    Guard(
        "d1/statement.py",
        "return runs_as_it_is(sql, prepared, held.catalog, held.secrets)",
        "return True",
        "tests/d1/test_query.py",
    ),
    Guard("d1/statement.py", "bool(seen) and seen != page.skipped", "False", "tests/d1/test_query.py"),
    Guard(
        "d1/statement.py",
        "        except UnicodeDecodeError:\n",
        "        except ZeroDivisionError:\n",
        "tests/d1/test_query.py",
    ),
    Guard("sqlite_files.py", '"BEGIN; SELECT', '"SELECT', "tests/d1/test_reading.py"),
    Guard(
        "sqlite_files.py", '"mode=ro&immutable=1" if resting else "mode=ro"', '"mode=ro"', "tests/d1/test_reading.py"
    ),
    Guard("sqlite_files.py", "logged and not filled(log)\n", "logged\n", "tests/d1/test_reading.py"),
    Guard(
        "sqlite_files.py",
        "if self.resting and stamp_of(self.file)",
        "if False and stamp_of(self.file)",
        "tests/d1/test_reading.py",
    ),
    Guard("sqlite_files.py", "> SETTLED_NANOSECONDS", "> -(1 << 62)", "tests/d1/test_keeping.py"),
    Guard("sqlite_files.py", "max(stamp.written, stamp.changed)", "stamp.written", "tests/d1/test_keeping.py"),
    Guard("sqlite_files.py", "settled and (resting or not logged)", "settled", "tests/d1/test_keeping.py"),
    Guard(
        "sqlite_files.py", "found.st_mtime_ns, found.st_ctime_ns", "found.st_mtime_ns, 0", "tests/d1/test_keeping.py"
    ),
    Guard("d1/keeping.py", "if stamp_of(held.path) == held.opened.stamp:", "if True:", "tests/d1/test_keeping.py"),
    Guard("d1/keeping.py", " and not filled(held.opened.log)", "", "tests/d1/test_keeping.py"),
    Guard("d1/keeping.py", "if held.asked == asked", "if True", "tests/d1/test_keeping.py"),
    Guard("d1/keeping.py", "                harden(held.connection)\n", "", "tests/d1/test_keeping.py"),
    Guard("d1/keeping.py", '                held.connection.execute("COMMIT")\n', "", "tests/d1/test_keeping.py"),
    Guard("d1/keeping.py", ' and all(each.kind != "virtual" for', " and all(True for", "tests/d1/test_keeping.py"),
    Guard("d1/worker.py", "        files.let_go()\n", "        pass\n", "tests/d1/test_keeping.py"),
    Guard("d1/reading.py", "    if not file.is_file():", "    if not file.exists():", "tests/d1/test_reading.py"),
    Guard("sqlite_files.py", "lambda: time.monotonic() >= deadline", "lambda: False", "tests/d1/test_reading.py"),
    Guard("d1/reading.py", "        connection.authorizer = guard\n", "", "tests/d1/test_reading.py"),
    Guard(
        "d1/bounds.py", "        signal.setitimer(signal.ITIMER_REAL, seconds)", "        pass", "tests/d1/test_pool.py"
    ),
    Guard(
        "d1/pool.py",
        "        watch.begin(self._process.kill, started + seconds + GRACE_SECONDS)\n",
        "",
        "tests/d1/test_pool.py",
    ),
    Guard("d1/pool.py", "            watch.done(self._process.kill)\n", "            pass\n", "tests/d1/test_pool.py"),
    Guard(
        "d1/watch.py",
        "                    self._change.notify()\n",
        "                    pass\n",
        "tests/d1/test_watch.py",
    ),
    Guard("d1/pool.py", "        for _ in range(2):", "        for _ in range(1):", "tests/d1/test_pool.py"),
    Guard("d1/pool.py", '"-P", "-S"', '"-S"', "tests/d1/test_pool.py"),
    Guard("d1/pool.py", "env={**environment,", "env={**os.environ,", "tests/d1/test_pool.py"),
    Guard(
        "d1/pool.py",
        "                if worker.alive:\n                    return worker",
        "                return worker",
        "tests/d1/test_pool.py",
    ),
    Guard("d1/query.py", " or known != mark", "", "tests/d1/test_query.py"),
    Guard(
        "d1/query.py",
        "if isinstance(value, int) and not -INT64 <= value < INT64:",
        "if False:",
        "tests/d1/test_guard.py",
    ),
    Guard(
        "d1/query.py",
        "float(value) if isinstance(value, int)",
        "value if isinstance(value, int)",
        "tests/d1/test_query.py",
    ),
    Guard("d1/reading.py", "for (name,) in trees:", "for (name,) in []:", "tests/d1/test_query.py"),
    Guard("sqlite_files.py", "PRAGMA foreign_keys=1;", "", "tests/d1/test_query.py"),
    Guard(
        "d1/keeping.py", '        opened.connection.pragma("cache_size", -CACHE_KIB)\n', "", "tests/d1/test_keeping.py"
    ),
]
