"""Many requests at once with requests, errors of every kind among them: `load.mjs` in Python.

`load.py NAME` asks $URL with what $SYMREF_UPSTREAM says. It makes each kind of request once, says
`began`, and goes on until the file NAME.echoes is there; then it asks for echoes of the credential
alone, says `echoes` after one of each, and ends when NAME.stop is there, with a line of JSON: how often
each kind came to what. All that came back is in NAME.transcript.
"""

import collections
import json
import os
import sys
import threading

import requests

NAME = sys.argv[1]
URL, KEY, MARKER = (os.environ[name] for name in ("URL", "SYMREF_UPSTREAM", "MARKER"))
BEARER = {"Authorization": f"Bearer {KEY}"}

CALLS = {
    "get": ("/v1/notes/0", {}),
    "search": (f"/v1/search?q=none-{MARKER}", {}),
    "create": ("/v1/notes", {"method": "POST", "json": {"text": MARKER}}),
    "missing": ("/v1/notes/999999", {}),
    "denied": ("/status/401", {}),
    "failed": ("/status/500", {}),
    "reset": ("/close", {}),
    "unknown": ("/nowhere", {}),
    "bare": ("/v1/account", {"headers": {}}),
    "elsewhere": ("/v1/account", {"headers": BEARER | {"X-Api-Key": KEY}}),
    "gone": ("/hang", {"timeout": 0.2}),
}
ECHOES = {
    "echo": ("/echo", {}),
    "base64": ("/echo/base64", {}),
    "header": ("/echo/header", {}),
}

counts = collections.Counter()
lock = threading.Lock()
transcript = open(f"{NAME}.transcript", "a")


def ask(session, kind, path, options):
    options = {"method": "GET", "headers": BEARER, "timeout": 20} | options
    try:
        answer = session.request(url=URL + path, **options)
        came, text = answer.status_code, f"{dict(answer.headers)} {answer.text}"
    except requests.exceptions.ReadTimeout:
        came, text = "gone", ""
    except requests.exceptions.RequestException as error:
        came, text = "error", str(error)
    with lock:
        counts[f"{kind} {came}"] += 1
        print(text, file=transcript, flush=True)


def everything(kinds, over):
    """Eight at once, until `over` says so, and each kind once at least."""
    left = list(kinds.items())
    at = iter(range(1 << 30))

    def one():
        session = requests.Session()
        while True:
            with lock:
                turn = next(at)
            if turn >= len(left) and over():
                return
            kind, (path, options) = left[turn % len(left)]
            ask(session, kind, path, options)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


everything(CALLS, lambda: True)
print("began", flush=True)
everything(CALLS, lambda: os.path.exists(f"{NAME}.echoes"))
everything(ECHOES, lambda: True)
print("echoes", flush=True)
everything(ECHOES, lambda: os.path.exists(f"{NAME}.stop"))
print(json.dumps(counts), flush=True)
