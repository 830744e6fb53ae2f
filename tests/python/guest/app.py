"""A capsule in Python. Does what its input asks for: {"say": ...}, {"call": operation}, {"open": path}, {"fail": words}."""

import json
import os

import wit_world
from componentize_py_types import Err
from wit_world.imports import broker, log


class WitWorld(wit_world.WitWorld):
    def handle(self, input: bytes) -> bytes:
        asked = json.loads(input)
        match next(iter(asked)), asked:
            case "say", {"say": words}:
                log.line(words)
                said = {"said": words.upper(), "environment": dict(os.environ)}
            case "call", {"call": operation}:
                said = json.loads(broker.call(operation, "{}"))
            case "open", {"open": path}:
                with open(path) as file:
                    said = {"read": file.read()}
            case _, {"fail": words}:
                raise Err(words)
        return json.dumps(said, sort_keys=True).encode()
