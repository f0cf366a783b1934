"""How well search finds: this server, plain FTS5 and other servers' forms, on questions with known answers.

    python bench/search.py --data FOLDER [--generated]

FOLDER holds `docs-corpus/` (markdown) and `queries_dev.jsonl` (id, query, kind, relevant[]). The environment
variable MCP_DAAN_BENCH_DATA names it too. Our own questions, `bench/retrieval/questions.jsonl`, are asked where the
pages are those that they were written for. With `--generated` there are some hundred more, made from the pages.
Nothing is downloaded; search by meaning is measured where the extra `semantic` is installed.
"""

import argparse
import os
import resource
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.retrieval.questions import OWN, Case, generated, given, read_pages
from bench.retrieval.scoring import Find, Score, difference, interval, mean, measure
from bench.retrieval.ways import others, read_for_meaning, this_server
from mcp_daan.knowledge.retrieval.arithmetic import present
from mcp_daan.knowledge.retrieval.meaning import Meaning

OURS, MEANT = "mcp-daan", "mcp-daan[semantic]"


def main() -> int:
    """Print the tables; 2 when the data is absent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("MCP_DAAN_BENCH_DATA"), help="folder with the questions")
    parser.add_argument("--generated", action="store_true", help="ask questions made from the pages, too")
    chosen = parser.parse_args()
    data = Path(chosen.data or ".").resolve()
    if not chosen.data or not (data / "queries_dev.jsonl").is_file() or not (data / "docs-corpus").is_dir():
        sys.stderr.write("No data: name a folder with queries_dev.jsonl and docs-corpus/ through --data.\n")
        return 2
    pages = read_pages(data / "docs-corpus")
    sets = {"given questions": given(data / "queries_dev.jsonl")}
    own = given(OWN)
    if all(page in pages for case in own for page in case.relevant):
        sets["our own questions, on pages drawn by lot"] = own
    if chosen.generated:
        sets["questions made from the pages"] = generated(pages)
    meaning = Meaning()
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        ways = {OURS: this_server(data / "docs-corpus"), **_meant(data / "docs-corpus", meaning), **others(pages)}
        for name, cases in ((name, cases) for name, cases in sets.items() if cases):
            report(name, cases, ways)
    meaning.close()
    return 0


def _meant(corpus: Path, meaning: Meaning) -> Mapping[str, Find]:
    if not present():
        sys.stdout.write("The extra `semantic` is not installed: search by meaning is not measured.\n\n")
        return {}
    seconds, count = read_for_meaning(corpus)
    find = this_server(corpus, meaning)
    find("the model is loaded at the first question")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(f"{count} pages read for meaning in {seconds:.0f} s, one thread; {memory:.0f} MB at most\n\n")
    return {MEANT: find}


def report(name: str, cases: Sequence[Case], ways: Mapping[str, Find]) -> None:
    """Measure every way on *cases* and print one line for each, with its paired difference to this server's."""
    scores = {way: measure(find, cases) for way, find in ways.items()}
    kinds = sorted({case.kind for case in cases})
    out = sys.stdout.write
    out(f"{len(cases)} {name}\n")
    out(f"{'':28}{'nDCG@10':>9} {'95 %':^14}{'MRR':>6}" + "".join(f"{kind:>11}" for kind in kinds))
    out(f"{'empty':>7}{'p50 ms':>8}{'p95 ms':>8}  nDCG@10 beside mcp-daan's (95 %)\n")
    for way, score in scores.items():
        out(f"{way:28}{_figures(score)}" + "".join(f"{value:11.3f}" for value in by_kind(score.reciprocal, cases)))
        spent = sorted(score.milliseconds)
        out(f"{score.empty:7}{spent[len(spent) // 2]:8.1f}{spent[len(spent) * 95 // 100]:8.1f}")
        out(f"  {'' if way == OURS else difference(scores[OURS].gain, score.gain)}\n")
    if MEANT in scores:
        out("mcp-daan[semantic] beside mcp-daan, by kind:\n")
        for kind in kinds:
            ours, theirs = (
                [g for g, c in zip(scores[way].gain, cases, strict=True) if c.kind == kind] for way in (OURS, MEANT)
            )
            out(f"  {kind:12}{mean(ours):.3f} to {mean(theirs):.3f}: {difference(ours, theirs)}\n")
    out("\n")


def by_kind(values: Sequence[float], cases: Sequence[Case]) -> list[float]:
    """The mean for each kind of question, in the kinds' order."""
    kinds = sorted({case.kind for case in cases})
    return [mean([value for value, case in zip(values, cases, strict=True) if case.kind == kind]) for kind in kinds]


def _figures(score: Score) -> str:
    low, high = interval(score.gain)
    return f"{mean(score.gain):9.3f} {f'{low:.3f}-{high:.3f}':^14}{mean(score.reciprocal):6.3f}"


if __name__ == "__main__":
    sys.exit(main())
