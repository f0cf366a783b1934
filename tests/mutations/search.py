"""Guards of search: what is typed stays words, paths stay inside, the index mends itself, the extra stays optional."""

from tests.mutations.guard import Guard

INDEX = "tests/knowledge/test_index.py"
SEARCH = "tests/knowledge/test_search.py"
MEANING = "tests/knowledge/test_meaning.py"
BASE = "tests/knowledge/test_base.py"

GUARDS = [
    Guard(
        "knowledge/retrieval/ranking.py", """" OR ".join(f'"{word}"' for word in telling(phrase))""", "phrase", SEARCH
    ),
    Guard("knowledge/retrieval/ranking.py", "TOGETHER_WEIGHT = 0.2", "TOGETHER_WEIGHT = 0.0", SEARCH),
    Guard("knowledge/retrieval/ranking.py", "if page in allowed and", "if", SEARCH),
    Guard("knowledge/retrieval/ranking.py", "near.nearness >= enough", "near.nearness >= 0", MEANING),
    Guard(
        "knowledge/retrieval/kept.py",
        "except apsw.Error:\n            continue",
        "except apsw.Error:\n            raise",
        INDEX,
    ),
    Guard(
        "knowledge/retrieval/kept.py",
        "except (OSError, *_PLACE):\n            break",
        "except (OSError, *_PLACE):\n            raise",
        INDEX,
    ),
    Guard("knowledge/retrieval/kept.py", 'connection.transaction_mode = "IMMEDIATE"', "pass", INDEX),
    Guard("knowledge/retrieval/index.py", 'source.stamp if source.settled else ""', "source.stamp", INDEX),
    Guard(
        "knowledge/retrieval/index.py",
        "if folder.is_dir() and folder.resolve().is_relative_to(workspace.root.resolve()):",
        "if folder.is_dir():",
        INDEX,
    ),
    Guard("knowledge/retrieval/index.py", "if entry.is_file(follow_symlinks=False)]", "if entry.is_file()]", INDEX),
    Guard(
        "knowledge/retrieval/meaning.py",
        "for name in VARIABLES if name in os.environ",
        "for name in os.environ",
        MEANING,
    ),
    Guard("knowledge/retrieval/meaning.py", "if missing and ended and missing <= self._given:", "if False:", MEANING),
    Guard("knowledge/retrieval/embedding.py", "target=_end_with_standard_input", "target=int", MEANING),
    Guard("knowledge/retrieval/meaning.py", '"-P", ', "", MEANING),
    Guard("knowledge/base.py", 'if ".." in parts:', "if False:", BASE),
    Guard("knowledge/base.py", 'if any(part.startswith(".") for part in parts):', "if False:", BASE),
    Guard(
        "knowledge/base.py",
        "if os.path.normcase(os.path.realpath(here)) != os.path.normcase(straight):",
        "if False:",
        BASE,
    ),
]
