"""Reads commands, a line of JSON each, and answers them one after the other, with a line of JSON each.

A command is {"op": NAME, "with": {PARAMETERS}}. An answer is {"value": ...} or {"error": {...}}; before it there may be
lines {"event": ...}, as things happen.
"""

import json
import sys

# What libraries print must not come between the answers.
_answers = sys.stdout
sys.stdout = sys.stderr

# What of an exception tells one from the other. Clients of HTTP say more than the text.
_TELLING = ("status_code", "code", "param", "type", "request_id", "description")


def _say(line):
    _answers.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
    _answers.flush()


def tell(event):
    """Tells of something that happened while a command runs."""
    _say({"event": event})


def _described(error):
    names = [kind.__name__ for kind in type(error).__mro__ if issubclass(kind, Exception)]
    parts = {name: getattr(error, name, None) for name in _TELLING}
    return {"name": names[0], "kinds": names, "message": str(error), **{k: v for k, v in parts.items() if v is not None}}


def serve(operations):
    """Answers commands until the input ends."""
    _say({"event": "ready"})
    for line in sys.stdin:
        command = json.loads(line)
        try:
            _say({"value": operations[command["op"]](**command["with"])})
        except Exception as error:  # whatever it is, it is what the client made of the answer
            _say({"error": _described(error)})
