"""A process that writes lessons and says of each when it is acknowledged: writer.py WORKSPACE NAME COUNT FORCE."""

import random
import sys

from mcp_daan.app import App
from mcp_daan.toolbox import run
from mcp_daan.tools.lessons import lessons_append

workspace, name, count, force = sys.argv[1:]
app = App(workspace, {})
for number in range(int(count)):
    letters = "".join(random.Random(f"{name}{number}").choices("abcdefghijklmnopqrstuvwxyz ", k=300))
    text = letters if name else "The same words for everybody, whatever the number in the title."
    answer = run(
        lessons_append.__daan_tool__,
        app.for_call(),
        {
            "title": f"{name or 'Everybody'} {number}",
            "problem": text,
            "solution": f"Mind {text}",
            "component": "workers",
            "force": force == "force",
        },
    ).answer
    sys.stdout.write(f"{answer['status']} {answer['data'].get('id', answer['error'] and answer['error']['code'])}\n")
    sys.stdout.flush()
