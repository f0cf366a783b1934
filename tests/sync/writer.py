"""A server that appends lessons and says of each when it is acknowledged: writer.py WORKSPACE NAME COUNT."""

import random
import sys

from mcp_daan.app import App
from mcp_daan.toolbox import run
from mcp_daan.tools.lessons import lessons_append

workspace, name, count = sys.argv[1:]
app = App(workspace, {"DAAN_LIMITS_REQUEST_SECONDS": "60"})
for number in range(int(count)):
    text = "".join(random.Random(f"{name}{number}").choices("abcdefghijklmnopqrstuvwxyz ", k=300))
    arguments = {
        "title": f"{name} {number}",
        "problem": text,
        "solution": f"Mind {text}",
        "component": "workers",
        "force": True,
    }
    answer = run(lessons_append.__daan_tool__, app.for_call(), arguments).answer
    state = answer["data"]["sync"]["state"] if answer["error"] is None else "failed"
    reason = answer["error"]["message"] if answer["error"] else answer["data"]["sync"]["reason"]
    sys.stdout.write(f"{state} {answer['data'].get('path')} {reason}\n")
    sys.stdout.flush()
