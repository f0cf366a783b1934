"""Guards of validation, of lessons shared among machines, and of scraped pages."""

from tests.mutations.guard import Guard

PLACE, LANDING = "knowledge/sharing/place.py", "knowledge/sharing/landing.py"
TRANSPORT, SHARING = "knowledge/sharing/transport.py", "knowledge/sharing/sharing.py"
FETCHING, CLEANING = "knowledge/scraping/fetching.py", "knowledge/scraping/cleaning.py"
SCRAPE = "knowledge/scraping/scrape.py"
SYNC, OBSTACLES = "tests/sync/test_sharing.py", "tests/sync/test_obstacles.py"
GETTING, PAGES = "tests/scraping/test_fetching.py", "tests/scraping/test_scraping.py"

GUARDS = [
    Guard(PLACE, "if marked is None or top.resolve() != marked:", "if False:", OBSTACLES),
    Guard(PLACE, "if place.is_relative_to(top.resolve()):", "if False:", OBSTACLES),
    Guard(PLACE, "if (git_folder / name).exists():", "if False:", OBSTACLES),
    Guard(LANDING, "environment=safely", "environment={}", OBSTACLES),
    Guard(LANDING, "    if _filters(place):\n", "    if False:\n", OBSTACLES),
    Guard(LANDING, "if lessons_only and any(", "if False and any(", SYNC),
    Guard(LANDING, '_move(place, head, builder.tip, "add lessons")', "pass", SYNC),
    Guard(LANDING, "if was == will_be:", "if True:", SYNC),
    Guard(TRANSPORT, '"GIT_DIR": os.fspath(self._folder),\n            "GIT_OBJECT', '"GIT_OBJECT', OBSTACLES),
    Guard(TRANSPORT, 'if scope in (b"global", b"system") and', "if", OBSTACLES),
    Guard(SHARING, "if not self._writing and transport.resting():", "if False:", SYNC),
    Guard(SHARING, "startswith(digest[1])", "startswith('')", SYNC),
    Guard(SHARING, " | self._taken_out(tip)\n", "\n", SYNC),
    Guard(SHARING, "if not self._writing or self._tip is None:", "if self._tip is None:", SYNC),
    Guard(SHARING, "if not change.own or change.parents != (start,):", "if change.parents != (start,):", SYNC),
    Guard("knowledge/sharing/commits.py", "own = bool(changes) and lessons and", "own = bool(changes) and", SYNC),
    Guard("knowledge/sharing/commits.py", " and bool(trailers.strip())", "", SYNC),
    Guard("knowledge/repository.py", "os.killpg(process.pid, signal.SIGKILL)", "process.kill()", OBSTACLES),
    Guard("knowledge/repository.py", "start_new_session=True,", "", OBSTACLES),
    Guard(FETCHING, "if parts not in listed:", "if False:", GETTING),
    Guard(FETCHING, 'or parts[0] != "https" or', "or", GETTING),
    Guard(FETCHING, 'if not host or "@" in split.netloc:', "if not host:", GETTING),
    Guard(FETCHING, "if not all(self._allowed(", "if not any(self._allowed(", GETTING),
    Guard(FETCHING, "parsed.copy_with(host=address, fragment=None)", "parsed.copy_with(fragment=None)", GETTING),
    Guard(FETCHING, '"sni_hostname": parsed.raw_host.decode("ascii")', '"sni_hostname": address', GETTING),
    Guard(FETCHING, "if len(taken) > PAGE_BYTES:", "if False:", PAGES),
    Guard(FETCHING, "async with asyncio.timeout(PAGE_SECONDS):", "if True:", GETTING),
    Guard(CLEANING, "if not unseen_in(text, place)", "", PAGES),
    Guard(CLEANING, "safe = redact(plain)", "safe = plain", PAGES),
    Guard(CLEANING, "plain = without_comments(seen)", "plain = seen", PAGES),
    Guard(SCRAPE, "if file.exists() and known is None and not force:", "if False:", PAGES),
    Guard(SCRAPE, "    _check_place(base, file)\n", "", PAGES),
    Guard(
        "knowledge/scraping/conversion.py",
        "or _hidden(values)",
        "",
        "tests/scraping/test_conversion.py",
    ),
    Guard(
        "knowledge/validation/patches.py",
        "and after <= before",
        "",
        "tests/validation/test_patches.py",
    ),
    Guard(
        "knowledge/validation/patches.py",
        "(each.code, each.message) not in after and",
        "",
        "tests/validation/test_patches.py",
    ),
    Guard(
        "knowledge/validation/validation.py",
        "if document.readable and not (document.scraped or document.lesson)",
        "if document.readable",
        "tests/validation/test_patches.py",
    ),
    Guard(
        "knowledge/validation/coverage.py",
        "right=max(len(stated) - wrong, 0)",
        "right=len(stated) + unchecked",
        "tests/validation/test_patches.py",
    ),
    Guard(
        "knowledge/remembering.py",
        "if hashlib.sha256(kept[32:]).digest() == kept[:32] else None",
        "",
        "tests/lessons/test_large_history.py",
    ),
    Guard(
        "knowledge/branches.py",
        '"\\0".join(about)), refs))',
        '"\\0".join(about))))',
        "tests/lessons/test_large_history.py",
    ),
    Guard(
        "knowledge/branches.py",
        'f"{component}/{VIEW}"], most=None)',
        'f"{component}/{VIEW}"])',
        "tests/lessons/test_large_history.py",
    ),
    Guard(
        "knowledge/lessons/turning.py",
        "or (kind == (day, written) and at <= (path, line))",
        "",
        "tests/lessons/test_listing.py",
    ),
]
