"""Sessions as clients hold them, plain and odd: what is written, in which pieces, and which ids are waited for."""

import json
from dataclasses import dataclass
from typing import Any

from tests.oracle import MODERN

CLIENT = {"name": "client", "version": "1"}
PREFIX = "io.modelcontextprotocol/"
SLOW = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
SCHEMA = {"name": "d1_schema", "arguments": {"database": "bench", "task_id": "T-1"}}
ROW = {
    "name": "d1_query",
    "arguments": {"database": "bench", "sql": "SELECT id, name, score, note FROM users ORDER BY id", "task_id": "T-2"},
}
ENDLESS = {"name": "d1_query", "arguments": {"database": "bench", "sql": SLOW, "task_id": "T-3"}}
LISTS = ("tools/list", "prompts/list", "resources/templates/list", "resources/list")


@dataclass(frozen=True)
class Talk:
    """One session: *pieces* as they are written, and the ids whose answers are waited for before its end.

    The SDK may leave what it reads with the end of input unanswered, as its threads happen to run: *last* is its id.
    """

    name: str
    pieces: tuple[bytes, ...]
    waits: tuple[Any, ...]
    last: Any = None


def line(method: str, id: Any = None, params: Any = None, **more: Any) -> bytes:
    """One message; without an id a notification."""
    message = {"jsonrpc": "2.0", "method": method, **more}
    if id is not None:
        message["id"] = id
    if params is not None:
        message["params"] = params
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"


def initialize(version: Any = "2025-06-18", id: Any = 0, **more: Any) -> bytes:
    """The handshake of before 2026."""
    return line("initialize", id, {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT, **more})


INITIALIZED = line("notifications/initialized")


def old(name: str, *lines: bytes, waits: tuple[Any, ...] = (), last: Any = None) -> Talk:
    """A session that begins as one of before 2026 does."""
    return Talk(f"old: {name}", (initialize(), INITIALIZED, *lines), (0, *waits), last)


def new(name: str, *lines: bytes, waits: tuple[Any, ...] = (), last: Any = None) -> Talk:
    """A session of 2026-07-28."""
    return Talk(f"new: {name}", (line("server/discover", 0, {"_meta": MODERN}), *lines), (0, *waits), last)


def meta(**more: Any) -> dict[str, Any]:
    """The parameters of a request of 2026-07-28."""
    return {"_meta": {**MODERN, **more}}


def openings() -> list[Talk]:
    """Every way to begin."""
    versions = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "1999-01-01", "")
    capable = (
        {"roots": {"listChanged": True}, "sampling": {}, "elicitation": {"form": {}, "url": {}}},
        {"roots": {"listChanged": "yes"}},
        {"experimental": {"a": {"b": {}}}, "extensions": {"x/y": {}}},
        {"tasks": {"list": {}, "cancel": {}, "requests": {"sampling": {"createMessage": {}}}}},
        {"unknown": 1},
        {"roots": None},
        {"sampling": {"context": {}, "tools": {}}},
        [],
    )
    infos = (
        {"name": "x"},
        {**CLIENT, "title": "X", "websiteUrl": "u"},
        {**CLIENT, "icons": []},
        {**CLIENT, "x": 1},
        {},
    )
    begun = [("version", initialize(each)) for each in versions]
    begun += [("capabilities", initialize(capabilities=each)) for each in capable]
    begun += [("client", initialize(clientInfo=each)) for each in infos]
    begun += [
        ("an id that is a text", initialize(id="première")),
        ("no parameters", line("initialize", 0)),
        ("an envelope", initialize(_meta=MODERN)),
        ("meta", initialize(_meta={"progressToken": 1})),
        ("version is a number", initialize(20250618)),
    ]
    talks = [
        Talk(f"{name} {number}", (first, INITIALIZED, line("tools/list", 1)), (json.loads(first)["id"], 1))
        for number, (name, first) in enumerate(begun)
    ]
    odd = [
        ("a list first", line("tools/list", 0)),
        ("ping first", line("ping", 0)),
        ("a call first", line("tools/call", 0, SCHEMA)),
        ("initialized first", INITIALIZED + line("tools/list", 0)),
        ("an unknown method first", line("no/method", 0)),
        ("garbage first", b"{\n" + line("tools/list", 0, meta())),
        ("blank lines first", b"\n  \n" + line("tools/list", 0, meta())),
        (
            "a discovery of another version",
            line("server/discover", 0, meta(**{f"{PREFIX}protocolVersion": "2027-01-01"})),
        ),
        (
            "an envelope without capabilities",
            line("tools/list", 0, {"_meta": {f"{PREFIX}protocolVersion": "2026-07-28"}}),
        ),
        ("odd capabilities", line("tools/list", 0, meta(**{f"{PREFIX}clientCapabilities": {"roots": 1}}))),
        ("odd client", line("tools/list", 0, meta(**{f"{PREFIX}clientInfo": {"name": 1}}))),
        ("a level for logs", line("tools/list", 0, meta(**{f"{PREFIX}logLevel": "info"}))),
        ("another of its own keys", line("tools/list", 0, meta(**{f"{PREFIX}other": "x"}))),
        ("a call at once", line("tools/call", 0, {**SCHEMA, **meta()})),
    ]
    talks += [Talk(name, (first, initialize(id=1), line("tools/list", 2, meta())), (0, 1, 2)) for name, first in odd]
    return talks


def middles() -> list[Talk]:
    """What may come in the course of a session, in both eras."""
    talks = []
    for begin, more in ((old, {}), (new, meta())):
        talks += [
            begin("lists", *(line(each, each, more or None) for each in LISTS), waits=LISTS),
            begin(
                "calls",
                line("tools/call", 1, {**SCHEMA, **more}),
                line("tools/call", "two", {**ROW, **more}),
                line("tools/call", 3, {"name": "d1_query", "arguments": {"task_id": "T"}, **more}),
                line("tools/call", 4, {"name": "lessons_list", "arguments": {"task_id": "T-é"}, **more}),
                waits=(1, "two", 3, 4),
            ),
            begin(
                "everything at once, in one write",
                b"".join(line("tools/call", number, {**ROW, **more}) for number in range(1, 20))
                + line("tools/list", 20, more),
                waits=tuple(range(1, 21)),
            ),
            begin("half lines", *halves(line("tools/call", 1, {**SCHEMA, **more})), waits=(1,)),
            begin(
                "an end without a new line",
                line("tools/list", 1, more),
                line("tools/list", 2, more).rstrip(),
                waits=(1,),
                last=2,
            ),
            begin(
                "carriage returns",
                line("tools/list", 1, more).replace(b"\n", b"\r\n"),
                line("tools/list", 2, more).replace(b", ", b",\r "),
                line("tools/list", 3, more),
                waits=(1, 3),
            ),
            begin(
                "what only the SDK answers, between calls",
                line("tools/call", 1, {**SCHEMA, **more}),
                line("resources/read", 2, {"uri": "knowledge://backend/DATABASE.md", **more}),
                line("prompts/get", 3, {"name": "kennisvalidatie", **more}),
                line("tools/call", 4, {**SCHEMA, **more}),
                line(
                    "completion/complete",
                    5,
                    {
                        "ref": {"type": "ref/prompt", "name": "daan"},
                        "argument": {"name": "language", "value": ""},
                        **more,
                    },
                ),
                line("skills/list", 6, more),
                line("tools/list", 7, more),
                waits=(1, 2, 3, 4, 5, 6, 7),
            ),
            begin(
                "methods that there are not",
                *(
                    line(each, each, more)
                    for each in (
                        "ping",
                        "no/method",
                        "logging/setLevel",
                        "server/discover",
                        "roots/list",
                        "resources/subscribe",
                    )
                ),
                waits=("ping", "no/method", "logging/setLevel", "server/discover", "roots/list", "resources/subscribe"),
            ),
            begin("initialize again", initialize("2024-11-05", 1), line("tools/list", 2, more), waits=(1, 2)),
            begin(
                "the other era",
                line("tools/list", 1, {} if more else meta()),
                line("tools/list", 2, more),
                waits=(1, 2),
            ),
            begin(
                "a cancelled call",
                line("tools/call", 1, {**ENDLESS, **more}),
                line("notifications/cancelled", None, {"requestId": 1}),
                line("tools/list", 2, more),
                waits=(2,),
            ),
            begin(
                "a call cancelled by its id as a text",
                line("tools/call", 7, {**ENDLESS, **more}),
                line("notifications/cancelled", None, {"requestId": "7", "reason": "x"}),
                line("tools/list", 2, more),
                waits=(2,),
            ),
            begin(
                "an end with a call under way",
                line("tools/call", 1, {**ENDLESS, **more}),
                line("tools/list", 2, more),
                waits=(2,),
            ),
            begin(
                "initialized late",
                line("resources/list", 1, more),
                INITIALIZED,
                line("resources/list", 2, more),
                waits=(1, 2),
            ),
            begin(
                "notices",
                *(
                    line(each, None, {"x": 1})
                    for each in (
                        "notifications/cancelled",
                        "notifications/roots/list_changed",
                        "no/notice",
                        "notifications/progress",
                    )
                ),
                line("tools/list", 1, more),
                waits=(1,),
            ),
            begin(
                "answers to nothing",
                b'{"jsonrpc":"2.0","id":9,"result":{}}\n{"jsonrpc":"2.0","id":9,"error":{"code":1,"message":"x"}}\n',
                line("tools/list", 1, more),
                waits=(1,),
            ),
            begin(
                "progress",
                line(
                    "tools/call",
                    1,
                    {"name": "knowledge_validate", "arguments": {"task_id": "T"}, **with_token(more, "p")},
                ),
                waits=(1,),
            ),
        ]
    return talks


def halves(whole: bytes) -> tuple[bytes, ...]:
    """*whole* in three pieces, cut anywhere."""
    return whole[:10], whole[10:-5], whole[-5:]


def with_token(more: dict[str, Any], token: Any) -> dict[str, Any]:
    """*more* with a token for progress."""
    return {**more, "_meta": {**more.get("_meta", {}), "progressToken": token}}


def odd_lines() -> list[bytes]:
    """Messages of every wrong or unusual form; each stands alone on its line."""
    call = json.dumps(SCHEMA)
    raw = [
        "{", "[]", "null", "1", '"x"', "{}", '{"jsonrpc":"2.0"}', '{"jsonrpc":"1.0","id":100,"method":"tools/list"}',
        '{"id":101,"method":"tools/list"}', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}',
        '{"jsonrpc":"2.0","id":true,"method":"tools/list"}', '{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}',
        '{"jsonrpc":"2.0","id":1.0,"method":"tools/list"}', '{"jsonrpc":"2.0","id":[],"method":"tools/list"}',
        '{"jsonrpc":"2.0","id":-3,"method":"tools/list"}', '{"jsonrpc":"2.0","id":"","method":"tools/list"}',
        '{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"tools/list"}',
        '{"jsonrpc":"2.0","id":9007199254740992,"method":"tools/list"}',
        '{"jsonrpc":"2.0","id":102,"method":"tools/list","params":null}',
        '{"jsonrpc":"2.0","id":103,"method":"tools/list","params":[]}',
        '{"jsonrpc":"2.0","id":104,"method":"tools/list","params":{"cursor":"x"}}',
        '{"jsonrpc":"2.0","id":105,"method":"tools/list","params":{"cursor":1}}',
        '{"jsonrpc":"2.0","id":106,"method":"tools/list","params":{"x":1}}',
        '{"jsonrpc":"2.0","id":107,"method":"tools/list","params":{"_meta":null}}',
        '{"jsonrpc":"2.0","id":108,"method":"tools/list","params":{"_meta":[]}}',
        '{"jsonrpc":"2.0","id":109,"method":"tools/list","params":{"_meta":{"progressToken":true}}}',
        '{"jsonrpc":"2.0","id":110,"method":"tools/list","params":{"_meta":{"progressToken":1.5}}}',
        '{"jsonrpc":"2.0","id":111,"method":"tools/list","params":{"_meta":{"progressToken":null}}}',
        '{"jsonrpc":"2.0","id":112,"method":"tools/list","params":{"_meta":{"a/b":[1,{"c":null}]}}}',
        '{"jsonrpc":"2.0","id":113,"method":"tools/list","extra":1}',
        '{"jsonrpc":"2.0","id":114,"method":"tools/list","result":{}}',
        '{"jsonrpc":"2.0","id":115,"id":116,"method":"tools/list"}',
        '{"jsonrpc":"2.0","id":117,"method":"no/method","method":"tools/list"}',
        '{"jsonrpc":"2.0","id":118,"method":5}', '{"jsonrpc":"2.0","id":119}',
        '{"jsonrpc":"2.0","id":120,"method":"tools/call"}', '{"jsonrpc":"2.0","id":121,"method":"tools/call","params":{}}',
        '{"jsonrpc":"2.0","id":122,"method":"tools/call","params":{"name":"no_such_tool"}}',
        '{"jsonrpc":"2.0","id":123,"method":"tools/call","params":{"name":5}}',
        '{"jsonrpc":"2.0","id":124,"method":"tools/call","params":{"name":"d1_schema","arguments":null}}',
        '{"jsonrpc":"2.0","id":125,"method":"tools/call","params":{"name":"d1_schema","arguments":[]}}',
        '{"jsonrpc":"2.0","id":126,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":"bench","task_id":"T","nope":1}}}',
        '{"jsonrpc":"2.0","id":127,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":"bench","task_id":"T","table":"\\ud83d\\ude00"}}}',
        '{"jsonrpc":"2.0","id":128,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":"bench","task_id":"T","table":"\\ud83d"}}}',
        '{"jsonrpc":"2.0","id":"\\ud83d","method":"tools/list"}',
        '{"jsonrpc":"2.0","id":129,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":NaN,"task_id":"T"}}}',
        '{"jsonrpc":"2.0","id":130,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":1e999,"task_id":"T"}}}',
        '{"jsonrpc":"2.0","id":131,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":-Infinity,"task_id":"T"}}}',
        '{"jsonrpc":"2.0","id":132,"method":"tools/call","params":' + call[:-1] + ',"task":{"ttl":5}}}',
        '{"jsonrpc":"2.0","id":133,"method":"tools/call","params":' + call[:-1] + ',"task":5}}',
        '{"jsonrpc":"2.0","id":134,"method":"tools/call","params":' + call[:-1] + ',"x":5}}',
        '{"jsonrpc":"2.0","id":135,"method":"tools/call","params":' + call[:-1] + ',"inputResponses":{}}}',
        '{"jsonrpc":"2.0","id":136,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":"bench","task_id":"T","table":' + "[" * 150 + "]" * 150 + "}}}",
        '{"jsonrpc":"2.0","id":137,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":"bench","task_id":"T","table":' + "[" * 300 + "]" * 300 + "}}}",
        '{"jsonrpc":"2.0","id":138,"method":"tools/list"} x', '  {"jsonrpc":"2.0","id":139,"method":"tools/list"}  ',
        '\ufeff{"jsonrpc":"2.0","id":140,"method":"tools/list"}', '{"jsonrpc":"2.0","id":141,"method":"tools/list",}',
        '{"jsonrpc":"2.0","id":142,"method":"tools/\\u006cist"}', "{'jsonrpc':'2.0','id':143,'method':'tools/list'}",
        '{"jsonrpc":"2.0","id":144,"method":"ping","params":{"a":1}}', '{"jsonrpc":"2.0","id":145,"method":"prompts/list","params":{"x":[]}}',
        '[{"jsonrpc":"2.0","id":146,"method":"tools/list"}]', '{"jsonrpc":"2.0","method":"notifications/cancelled"}',
        '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":true}}',
        '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}',
        '{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}',
        '{"jsonrpc":"2.0","method":"tools/list"}', '{"jsonrpc":"2.0","id":147,"method":"notifications/initialized"}',
        '{"jsonrpc":"2.0","id":148,"method":"tools/call","params":{"name":"d1_query","arguments":{"database":"bench","task_id":"T","sql":"SELECT \\u0000"}}}',
        '{"jsonrpc":"2.0","id":149,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":"b\\tench\\u007f\\u0001é\\u20ac","task_id":"T"}}}',
        '{"jsonrpc":"2.0","id":150,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":"bench","task_id":"a b\\""}}}',
        '{"jsonrpc":"2.0","id":"7","method":"tools/list"}', '{"jsonrpc":"2.0","id":" 7 ","method":"tools/list"}',
    ]  # fmt: skip
    return [each.encode("utf-8", "surrogatepass") + b"\n" for each in raw] + [
        b'{"jsonrpc":"2.0","id":160,"method":"tools/call","params":{"name":"d1_schema","arguments":{"database":"\xff\xfe","task_id":"T"}}}\n',
        b"\xff\xfe\x00\n",
        '{"jsonrpc":"2.0","id":161,"method":"tools/list"}'.encode("utf-16") + b"\n",
    ]


# Ids that nobody answers: the message is none, or not every reader of JSON takes it.
SILENT = (100, 101, 103, 115, 118, 119, 128, 137, 138, 140, 141, 143, 146, "\ud83d")


def odds() -> list[Talk]:
    """Every odd line in one session of each era; in the new one also with the envelope put into it."""
    given, talks = odd_lines(), []
    for begin, lines in ((old, given), (new, given), (new, [enveloped(each) for each in given])):
        numbers = [_id(each) for each in lines]
        waits = [each for each in numbers if isinstance(each, str | int) and each not in (*SILENT, True)]
        talks.append(begin("odd lines" + " with an envelope" * (lines is not given), *lines, waits=tuple(waits)))
    return talks


def _id(raw: bytes) -> Any:
    try:
        message = json.loads(raw.decode("utf-8", "replace"))
    except ValueError:
        return None
    return message.get("id") if isinstance(message, dict) else None


def enveloped(raw: bytes) -> bytes:
    """The line with an envelope in its parameters, where it has the form for one."""
    head = b'"params":{'
    told = json.dumps({"_meta": MODERN})[1:-1].encode()
    if head in raw and b'"_meta"' not in raw:
        return raw.replace(head, head + told + (b"" if head + b"}" in raw else b","), 1)
    if b'"_meta":{' in raw:
        return raw.replace(b'"_meta":{', b'"_meta":{' + json.dumps(MODERN)[1:-1].encode() + b",", 1)
    return raw.replace(b'"tools/list"', b'"tools/list","params":{' + told + b"}", 1) if b'"params"' not in raw else raw
