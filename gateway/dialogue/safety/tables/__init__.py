"""What the safety layer knows, as data: a paediatrician can read and sign it."""

import json
from importlib.resources import files
from typing import Any


def table(name: str) -> Any:
    """`tables/<name>.json`."""
    return json.loads(files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
