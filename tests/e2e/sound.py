"""Wav files for the fake microphone, and what a page really heard."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

from media.engines.espeak import EspeakProcess, command

HZ = 48_000
AUDIBLE_DBFS = -50.0
LISTEN = """
() => {
  const heard = [];
  globalThis.heard = heard;
  setInterval(() => {
    const levels = globalThis.__nestcall.levels;
    if (levels) heard.push([performance.now() / 1000, levels.remote, levels.local, levels.ducked]);
  }, 20);
}
"""


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * HZ), np.int16)


def spoken(text: str) -> np.ndarray:
    """s16 mono at 48 kHz, loud."""
    process = EspeakProcess(command())
    try:
        samples, _ = process.ask(text, "cmn", 170)
    finally:
        process.stop()
    loudest = max(1, int(np.abs(samples.astype(np.int32)).max()))
    return (samples.astype(np.float64) * (26_000 / loudest)).astype(np.int16)


def write_wav(path: Path, *parts: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(HZ)
        out.writeframes(np.concatenate(parts).tobytes())
    return path


@dataclass(frozen=True)
class Look:
    """One look at the levels of a page, in seconds and dBFS."""

    at: float
    remote: float
    local: float
    ducked: bool


def listen(page: Page) -> None:
    """From now on the page notes what it hears, every 20 ms."""
    page.evaluate(LISTEN)


def looks(page: Page) -> list[Look]:
    return [Look(*row) for row in page.evaluate("heard")]


def stretches(seen: list[Look], gap: float = 0.3) -> list[tuple[float, float]]:
    """(from, to) of each time the other side was audible; pauses shorter than `gap` do not part them."""
    found: list[tuple[float, float]] = []
    for look in seen:
        if look.remote < AUDIBLE_DBFS:
            continue
        if found and look.at - found[-1][1] <= gap:
            found[-1] = (found[-1][0], look.at)
        else:
            found.append((look.at, look.at))
    return found
