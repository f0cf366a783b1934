"""Guards of checking Workers."""

from tests.mutations.guard import Guard

HOSTILE = "tests/workers/test_hostile.py"
FAULTS = "tests/workers/test_faults.py"

GUARDS = [
    Guard(
        "workers/configuration/reading.py",
        '"…" if secret_name(key) or key == "localConnectionString" else without_secrets(each)',
        "without_secrets(each)",
        FAULTS,
    ),
    Guard("workers/rules/environments.py", 'value = dict.fromkeys(mapping(value), "…")', "pass", FAULTS),
    Guard(
        "workers/configuration/reading.py",
        "if not path.resolve().is_relative_to(root.resolve()):",
        "if False:",
        HOSTILE,
    ),
    Guard("workers/configuration/reading.py", "if any(len(keys) > DEEPEST for keys in places.lines):", "if False:", HOSTILE),
    Guard(
        "workers/configuration/known.py",
        "if not path.resolve().is_relative_to(root.resolve()) or path.stat().st_size > MOST_BYTES:",
        "if False:",
        HOSTILE,
    ),
    Guard("workers/configuration/schema.py", "max(len(at), choices) > DEEPEST", "False", "tests/workers/test_schema.py"),
    Guard(
        "workers/configuration/schema.py", "if self.steps > STEPS or not", "if not", "tests/workers/test_schema.py"
    ),
    Guard("workers/seen.py", "return resolved if resolved.is_relative_to(root.resolve()) else None", "return resolved", HOSTILE),
    Guard("workers/seen.py", "    except (OSError, ValueError):\n        return None\n    return resolved", "    except ZeroDivisionError:\n        return None\n    return resolved", HOSTILE),
    Guard(
        "workers/seen.py",
        "if not path.resolve().is_relative_to(root.resolve()) or path.stat().st_size > FILE_BYTES:",
        "if False:",
        HOSTILE,
    ),
    Guard("workers/finding.py", 'each if each.isprintable() and each != "`" else "?"', "each", HOSTILE),
    Guard("workers/bundle.py", 'part.startswith(".") or', "", FAULTS),
    Guard("wrangler.py", "(?:\\s++|//[^\\n]*+|(?>/\\*.*?\\*/))*+", "(?:\\s|//[^\\n]*|/\\*.*?\\*/)*", "tests/foundation/test_wrangler.py"),
    Guard("wrangler.py", "if len(content) > MOST_BYTES:", "if False:", "tests/foundation/test_wrangler.py"),
    Guard("wrangler.py", "except (RecursionError, ValueError):", "except ZeroDivisionError:", "tests/foundation/test_wrangler.py"),
]  # fmt: skip
