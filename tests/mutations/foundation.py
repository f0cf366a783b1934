"""Guards of the foundation."""

from tests.mutations.guard import Guard

GUARDS = [
    Guard(
        "toolbox.py", 'extra="forbid", strict=True', 'extra="ignore", strict=True', "tests/foundation/test_toolbox.py"
    ),
    Guard("toolbox.py", 'extra="forbid", strict=True', 'extra="forbid"', "tests/foundation/test_toolbox.py"),
    Guard(
        "toolbox.py",
        "clean = app.redact(without_surrogates(text))",
        "clean = without_surrogates(text)",
        "tests/foundation/test_toolbox.py",
    ),
    Guard("toolbox.py", "return len(said.text.encode()) > most", "return False", "tests/foundation/test_toolbox.py"),
    Guard("protocol.py", '_SURROGATE.sub("\\ufffd", text)', "text", "tests/foundation/test_toolbox.py"),
    Guard("scrub.py", " or not encodable(text)", "", "tests/foundation/test_scrub.py"),
    Guard("remembered.py", "stamp if settled else None", "stamp", "tests/foundation/test_remembered.py"),
    Guard(
        "app.py",
        "_secret(variables_in(Path(file)))",
        "_secret(__import__('mcp_daan.wrangler').wrangler.dev_vars(Path(file).parent))",
        "tests/foundation/test_remembered.py",
    ),
    Guard("remembered.py", " and kept[1].hold()", "", "tests/foundation/test_remembered.py"),
    Guard("remembered.py", " or _folder(str(known[1])) != there", "", "tests/foundation/test_remembered.py"),
    Guard("paging.py", "or seen != mark", "", "tests/foundation/test_paging.py"),
    Guard("secret_names.py", "segments[-1] in _HARMLESS_LAST", "False", "tests/foundation/test_scrub.py"),
    Guard(
        "config.py",
        'name.startswith("DAAN_") and name not in OWN_VARIABLES',
        "False",
        "tests/foundation/test_config.py",
    ),
]
