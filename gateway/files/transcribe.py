"""The words of a voice note, by the call engines' recognizer. No recognizer, or too slow a one: no words."""

import asyncio

import numpy as np
import structlog

from media.audio import EAR_HZ, AudioChunk
from media.errors import EngineFailed
from media.ports import Language, Recognizer

PIECE_S = 0.5
WITHIN_S = 20.0
MAX_CHARS = 4_000

log = structlog.get_logger()


async def transcribe(samples: bytes, recognizer: Recognizer | None, language: Language) -> str:
    """`samples`: s16 mono at 16 kHz. Empty: nobody to ask, or nothing understood in time.

    What an engine would have to ask back about is no transcript either: here nobody can be asked.
    """
    if recognizer is None or not samples:
        return ""
    stream = recognizer.stream(language)
    try:
        async with asyncio.timeout(WITHIN_S):
            for piece in pieces(samples):
                stream.feed(piece)
                await asyncio.sleep(0)
            heard = await stream.final()
            return "" if heard.confirm else heard.text[:MAX_CHARS]
    except (EngineFailed, TimeoutError) as error:
        log.warning("voice note not transcribed", why=type(error).__name__)
        return ""
    finally:
        stream.close()


def pieces(samples: bytes) -> list[AudioChunk]:
    heard = np.frombuffer(samples, np.int16)
    step = int(PIECE_S * EAR_HZ)
    return [AudioChunk(heard[at : at + step], EAR_HZ) for at in range(0, len(heard), step)]
