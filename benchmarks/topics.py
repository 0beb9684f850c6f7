"""Compiles the topics of the retrieval: `make topics` after a change of the tables, of synonyms or of stop words."""

from pathlib import Path

import numpy as np

import gateway.dialogue.knowledge
from gateway.dialogue.knowledge.topics import COMPILED, Topics, read_tables

TARGET = Path(gateway.dialogue.knowledge.__file__).with_name(COMPILED)


def compiled(read: Topics) -> dict[str, np.ndarray]:
    """As `shop_topics` reads it: the terms, how many topics each tells of, which, and how much."""
    near = sorted(read.near.items())
    return {
        "terms": np.frombuffer("\n".join(term for term, _ in near).encode(), np.uint8),
        "sizes": np.array([len(numbers) for _, (numbers, _) in near], np.uint16),
        "numbers": np.concatenate([numbers for _, (numbers, _) in near]).astype(np.uint16),
        "weights": np.concatenate([weights for _, (_, weights) in near]),
        "beside": read.beside,
    }


def main() -> None:
    read = read_tables()
    np.savez_compressed(TARGET, **compiled(read))
    print(f"{read.count} topics, {len(read.near)} terms, {TARGET.stat().st_size / 1000:.0f} kB: {TARGET.name}")


if __name__ == "__main__":
    main()
