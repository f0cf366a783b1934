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
    Guard("d1/statement.py", "MASK if hidden else to_wire(value)", "to_wire(value)", "tests/d1/test_query.py"),
    Guard("d1/statement.py", "_page(connection, masks.statement,", "_page(connection, sql,", "tests/d1/test_query.py"),
    Guard("d1/statement.py", "        if room < 0:", "        if False:", "tests/d1/test_query.py"),
    Guard("d1/statement.py", "bool(seen) and seen != page.skipped", "False", "tests/d1/test_query.py"),
    Guard(
        "d1/statement.py",
        "    except UnicodeDecodeError:\n        return collected(",
        "    except ZeroDivisionError:\n        return collected(",
        "tests/d1/test_query.py",
    ),
    Guard("sqlite_files.py", '" BEGIN; SELECT', '" SELECT', "tests/d1/test_reading.py"),
    Guard(
        "sqlite_files.py", '"mode=ro&immutable=1" if resting else "mode=ro"', '"mode=ro"', "tests/d1/test_reading.py"
    ),
    Guard("sqlite_files.py", " and not _filled(_log(file))\n", "\n", "tests/d1/test_reading.py"),
    Guard(
        "sqlite_files.py", "lambda: not resting or _stamp(file) == stamp", "lambda: True", "tests/d1/test_reading.py"
    ),
    Guard("d1/reading.py", "    if not file.is_file():", "    if not file.exists():", "tests/d1/test_reading.py"),
    Guard("sqlite_files.py", "lambda: time.monotonic() >= deadline", "lambda: False", "tests/d1/test_reading.py"),
    Guard("d1/reading.py", "        connection.authorizer = guard\n", "", "tests/d1/test_reading.py"),
    Guard(
        "d1/bounds.py", "        signal.setitimer(signal.ITIMER_REAL, seconds)", "        pass", "tests/d1/test_pool.py"
    ),
    Guard("d1/pool.py", "        watch.start()\n", "", "tests/d1/test_pool.py"),
    Guard("d1/pool.py", "        for _ in range(2):", "        for _ in range(1):", "tests/d1/test_pool.py"),
    Guard("d1/pool.py", '"-P", "-m"', '"-m"', "tests/d1/test_pool.py"),
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
]
