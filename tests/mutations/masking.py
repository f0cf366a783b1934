"""Guards of masking."""

from tests.mutations.guard import Guard

GUARDS = [
    Guard("d1/masking/concern.py", 'r"\\b(?:natural|using)\\b"', 'r"\\b(?:never)\\b"', "tests/d1_masking"),
    Guard("d1/masking/lineage.py", "or not read <= tracer.seen", "", "tests/d1_masking"),
    Guard("d1/masking/concern.py", 'or first_word(sql) == "PRAGMA"', "", "tests/d1_masking"),
    Guard(
        "d1/masking/concern.py",
        "    if virtual and any(table in virtual for table, _ in secrets):\n        return True\n",
        "",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/concern.py",
        "    return not prepared.tables.isdisjoint(indexed | kept)\n",
        "    return False\n",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/lineage.py",
        "sql if not walks and tables.isdisjoint(kept) else",
        "sql if not walks else",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/lineage.py",
        "sql if not walks and tables.isdisjoint(kept) else",
        "sql if tables.isdisjoint(kept) else",
        "tests/d1_masking",
    ),
    Guard("d1/masking/lineage.py", "not tracer.ctes.isdisjoint(tracer.viewed) or ", "", "tests/d1_masking"),
    Guard(
        "d1/masking/ordering.py", "    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)\n", "", "tests/d1_masking"
    ),
    Guard("d1/masking/ordering.py", 'f"NULL AS {quoted(column)}" if', "quoted(column) if", "tests/d1_masking"),
    Guard("d1/masking/ordering.py", " LIMIT -1)", ")", "tests/d1_masking"),
    Guard("d1/masking/ordering.py", "opcode in _WALKING", "opcode not in _OPENING", "tests/d1_masking"),
    Guard(
        "d1/masking/ordering.py",
        'text = f"(SELECT * FROM {text})" if source.listed else text',
        "pass",
        "tests/d1_masking",
    ),
    Guard("d1/masking/trace.py", 'refuse("NATURAL or USING", compared)', "pass", "tests/d1_masking"),
    Guard(
        "d1/masking/trace.py",
        '            refuse("the arguments of a table", union(columns))',
        "            pass",
        "tests/d1_masking",
    ),
    Guard("d1/masking/trace.py", 'refuse("a vocabulary", union(columns))', "pass", "tests/d1_masking"),
    Guard(
        "d1/masking/trace.py",
        'refuse("the arguments of a table", self.draws(argument))',
        "self.draws(argument)",
        "tests/d1_masking",
    ),
    Guard("d1/masking/trace.py", 'refuse("GROUP BY", self.term(group, columns))', "pass", "tests/d1_masking"),
    Guard("d1/masking/trace.py", 'refuse("DISTINCT", union(columns))', "pass", "tests/d1_masking"),
    Guard(
        "d1/masking/trace.py",
        "refuse(operator, union(column for leg in legs for column in leg))",
        "pass",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/trace.py",
        'refuse("a recursive WITH", union(outcome.columns) | outcome.elsewhere)',
        "pass",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/trace.py", "            self.tracer.seen |= union(star)\n", "            pass\n", "tests/d1_masking"
    ),
    Guard("d1/masking/trace.py", "self.elsewhere |= NOTHING.union(*merged.values())", "pass", "tests/d1_masking"),
    Guard("d1/masking/trace.py", "elsewhere |= union(columns[at] for at in places)", "pass", "tests/d1_masking"),
    Guard(
        "d1/masking/probe.py",
        "apsw.SQLITE_OK if guard is None else guard(action, first, second, schema, inside)",
        "apsw.SQLITE_OK",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/probe.py",
        "    finally:\n        connection.authorizer = guard",
        "    finally:\n        connection.authorizer = None",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/probe.py",
        "return apsw.SQLITE_IGNORE if verdict == apsw.SQLITE_OK and read in secrets else verdict",
        "return verdict",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/catalog.py",
        "    finally:\n        connection.authorizer = authorizer",
        "    finally:\n        connection.authorizer = None",
        "tests/d1_masking",
    ),
    Guard("d1/masking/secrets.py", "        found |= _copied(catalog, found)\n", "", "tests/d1_masking"),
    Guard(
        "d1/masking/secrets.py",
        "        return _generated(relation, secrets)",
        "        return set()",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/secrets.py",
        "if relation.module in _VOCABULARIES and _arguments",
        "if False and _arguments",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/secrets.py",
        "        found |= {(table, column) for table, columns in _SAMPLES.items() for column in columns}\n",
        "        pass\n",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/secrets.py",
        '            cursor.execute(f"PRAGMA main.table_xinfo({quoted(table)})").fetchall()',
        "            pass",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/secrets.py",
        "return any(_drawn(connection, content, column, secrets) for column in relation.visible)",
        "return False",
        "tests/d1_masking",
    ),
    Guard("d1/masking/secrets.py", "if stem == relation.name and suffix in _SHADOWS:", "if False:", "tests/d1_masking"),
    Guard("d1/masking/secrets.py", "if column not in _PLUMBING", "", "tests/d1_masking"),
    Guard(
        "d1/masking/scope.py",
        "return self._invented(parts) if quoted else NOTHING",
        "return NOTHING",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/scope.py",
        "return self._invented(parts) if quoted else NOTHING",
        "return self._invented(parts)",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/scope.py",
        "            if columns:\n                return union(columns)\n",
        "            if columns and union(columns):\n                return union(columns)\n",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/secrets.py", "if secret_name(declared) or any", "if secret_name(column) or any", "tests/d1_masking"
    ),
    Guard(
        "d1/masking/secrets.py",
        "for column in (relation.key, *relation.primary) if column",
        "for column in relation.primary if column",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/parse.py",
        'if word == "FROM" and before is not None',
        "if False and before is not None",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/parse.py",
        '        elif token.word == "COLLATE":\n            self.next()\n',
        "",
        "tests/d1_masking",
    ),
    Guard(
        "d1/masking/parse.py",
        '            elif word == "AS":\n                self.skip_type()\n',
        "",
        "tests/d1_masking",
    ),
    Guard("d1/masking/parse.py", "if self.depth > _DEEPEST:", "if False:", "tests/d1_masking"),
    Guard("d1/masking/secrets.py", "found.add(SCHEMA_TEXT)", "pass", "tests/d1/test_ddl_secrets.py"),
    Guard("d1/masking/secrets.py", "found |= DEFAULTS", "pass", "tests/d1/test_ddl_secrets.py"),
    Guard(
        "d1/masking/secrets.py",
        "            found.add(REFERENCES)\n",
        "            pass\n",
        "tests/d1/test_ddl_secrets.py",
    ),
    Guard("d1/masking/lineage.py", "hides and place == hidden", "False", "tests/d1/test_ddl_secrets.py"),
    Guard("d1/masking/lineage.py", 'words[0].word == "EXPLAIN"', "False", "tests/d1/test_ddl_secrets.py"),
]
