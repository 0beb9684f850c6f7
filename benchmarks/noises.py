"""The room of a mother: noises synthesised from numbers, for benchmarks and tests. Nothing here was recorded.

All return int16 mono at EAR_HZ, shape [seconds * EAR_HZ], the same for the same seed, -20 dBFS RMS while sounding.
Sources of the cry's shape: newborn cry F0 250-600 Hz, bursts 0.5-1.5 s with rise-fall and vibrato, infant formants
near 1.1, 3.3 and 5 kHz, dysphonic bursts, an in-breath between (LaGasse et al. 2005, "Assessment of infant cry").
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from media.audio import EAR_HZ, WIRE_HZ, Samples
from media.engines.espeak import EspeakProcess, command
from media.engines.pcm import resampled

Wave = NDArray[np.float64]
LEVEL = 0.1
"""RMS of full scale while sounding: -20 dBFS."""


def band(wave: Wave, low_hz: float, high_hz: float) -> Wave:
    """Keeps low..high Hz (brick wall; sharp enough for noise)."""
    spectrum = np.fft.rfft(wave)
    hz = np.fft.rfftfreq(len(wave), 1 / EAR_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(wave)))


def levelled(wave: Wave) -> Samples:
    """RMS of what sounds (within 40 dB of the peak) to LEVEL."""
    sounding = wave[np.abs(wave) > np.abs(wave).max() / 100] if len(wave) else wave
    rms = float(np.sqrt(np.mean(sounding**2))) if len(sounding) else 1.0
    return np.asarray(np.clip(wave / (rms or 1.0) * LEVEL, -1, 1) * 32767).astype(np.int16)


def mixed(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Speech plus noise (repeated or cut to its length), speech `snr_db` above the noise by RMS of what sounds."""
    voice, other = (levelled(x.astype(np.float64)).astype(np.float64) for x in (speech, noise))
    other = np.resize(other, len(voice)) * 10 ** (-snr_db / 20)
    total = voice + other
    return np.asarray(total * min(1.0, 32000 / max(1.0, np.abs(total).max()))).astype(np.int16)


# ---------------------------------------------------------------- a baby


def cry(seconds: float, seed: int = 0, f0_hz: tuple[float, float] = (300.0, 600.0)) -> Samples:
    """A baby crying with its fundamental inside `f0_hz`."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(seconds * EAR_HZ))
    at = int(rng.uniform(0, 0.3) * EAR_HZ)
    while at < len(out):
        at = _put(out, _burst(rng, f0_hz), at)
        gap = int(rng.uniform(0.15, 0.5) * EAR_HZ)
        if rng.random() < 0.6:
            _put(out, band(rng.standard_normal(gap), 1500, 5000) * np.hanning(gap) * 0.25, at)
        at += gap if rng.random() < 0.85 else int(rng.uniform(1, 2.5) * EAR_HZ)
    return levelled(out)


def _burst(rng: np.random.Generator, f0_hz: tuple[float, float]) -> Wave:
    """One cry of 0.5-1.5 s: rise and fall of pitch, harmonics under three formants, roughness, in- and outset."""
    seconds = rng.uniform(0.5, 1.5)
    t = np.arange(int(seconds * EAR_HZ)) / EAR_HZ
    low, high = f0_hz
    peak_at, base = rng.uniform(0.2, 0.6), low + rng.uniform(0.05, 0.4) * (high - low)
    rise = np.interp(t / seconds, (0, peak_at, 1), (0, 1, 0)) * rng.uniform(0.3, 0.6) * (high - low)
    vibrato = 1 + 0.012 * np.sin(2 * np.pi * rng.uniform(5, 9) * t)
    f0 = np.clip((base + rise) * vibrato, low, high)
    wave = _harmonics(f0, rng, formants=(rng.uniform(900, 1400), rng.uniform(2800, 3800), rng.uniform(4800, 5600)))
    rough = rng.uniform(0.02, 0.12) if rng.random() < 0.7 else rng.uniform(0.3, 0.8)
    wave += rough * np.std(wave) * 3 * band(rng.standard_normal(len(t)), 700, 6000)
    shape = np.minimum(1, t / 0.06) * np.minimum(1, (seconds - t) / 0.12) * (1 - 0.3 * t / seconds)
    return np.asarray(wave / np.std(wave) * shape * rng.uniform(0.6, 1))


def _harmonics(f0: Wave, rng: np.random.Generator, formants: tuple[float, float, float], count: int = 25) -> Wave:
    """A voiced sound with pitch track `f0` (Hz per sample) under three resonances."""
    phase, out = 2 * np.pi * np.cumsum(f0) / EAR_HZ, np.zeros(len(f0))
    for h in range(1, count + 1):
        hz = f0 * h
        gain = 0.12 / h + sum(
            a / (1 + ((hz - f) / width) ** 2)
            for a, f, width in zip((1, 0.55, 0.25), formants, (350, 500, 600), strict=True)
        )
        out += np.where(hz < EAR_HZ * 0.475, gain, 0) * np.sin(h * phase + rng.uniform(0, 2 * np.pi))
    return out


def toddler(seconds: float, seed: int = 0) -> Samples:
    """Babble ("wa-wa"): syllables of 150-300 ms, F0 200-280 Hz, where Silero is fooled, formants open and shut."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(seconds * EAR_HZ))
    at = int(rng.uniform(0, 0.3) * EAR_HZ)
    while at < len(out):
        pitch = rng.uniform(200, 280)
        for _ in range(rng.integers(3, 8)):
            at = _put(out, _syllable(rng, pitch), at)
        at += int(rng.uniform(0.3, 1.5) * EAR_HZ)
    return levelled(out)


def _syllable(rng: np.random.Generator, pitch: float) -> Wave:
    size = int(rng.uniform(0.15, 0.3) * EAR_HZ)
    u = np.linspace(0, 1, size)
    jitter = 0.01 * np.cumsum(rng.standard_normal(size)) / np.sqrt(np.arange(1, size + 1))
    f0 = pitch * (1.05 - 0.1 * u) * (1 + jitter)
    closed, opened = (_harmonics(f0, rng, f) for f in ((450, 1000, 3600), (1100, 1900, 4000)))
    opening = np.clip(np.sin(np.pi * u) * 1.3, 0, 1)
    return np.asarray((closed * (1 - opening) * 0.5 + opened * opening) * np.sin(np.pi * u) ** 0.5)


def child(seconds: float, seed: int = 0) -> Samples:
    """A small child talking nonsense words: speech, only not hers. No detector of speech can refuse it."""
    return childlike(seconds, seed, _nonsense())


def childlike(seconds: float, seed: int, lines: Sequence[Samples]) -> Samples:
    """Grown-ups' `lines` out of a smaller throat: 1.2 to 1.45 times as high."""
    rng = np.random.default_rng(seed)
    out, at = np.zeros(round(seconds * EAR_HZ)), 0
    while at < len(out):
        high = round(EAR_HZ * rng.uniform(1.2, 1.45))
        words = resampled(lines[rng.integers(len(lines))], high, EAR_HZ)
        at = _put(out, words.astype(np.float64), at) + int(rng.uniform(0.3, 1.2) * EAR_HZ)
    return levelled(out)


# ---------------------------------------------------------------- a household


def clatter(seconds: float, seed: int = 0) -> Samples:
    """Dishes and blocks: 2.5 knocks a second, each a decaying ring and a burst of noise."""
    rng = np.random.default_rng(seed)
    out = np.zeros(round(seconds * EAR_HZ))
    for start in np.sort(rng.uniform(0, seconds, max(1, int(seconds * 2.5)))):
        size = int(rng.uniform(0.03, 0.15) * EAR_HZ)
        n = np.arange(size)
        ring = np.sin(2 * np.pi * rng.uniform(800, 5000) * n / EAR_HZ) + 0.7 * rng.standard_normal(size)
        _put(out, np.exp(-n / (size / 5)) * ring, int(start * EAR_HZ))
    return levelled(out)


def music(seconds: float, seed: int = 0) -> Samples:
    """A music box: two notes of C major at a time, six harmonics, plucked."""
    rng = np.random.default_rng(seed)
    out, at = np.zeros(round(seconds * EAR_HZ)), 0
    scale = (261.6, 293.7, 329.6, 392.0, 440.0, 523.3, 659.3, 784.0)
    while at < len(out):
        t = np.arange(int(rng.choice([0.25, 0.5]) * EAR_HZ)) / EAR_HZ
        notes = (f * h for f in rng.choice(scale, 2, replace=False) for h in range(1, 7))
        chord = sum((np.sin(2 * np.pi * hz * t) * (hz / 261.6) ** -1.0 for hz in notes), np.zeros(len(t)))
        at = _put(out, np.exp(-t * 4) * chord, at)
    return levelled(out)


def white(seconds: float, seed: int = 0) -> Samples:
    return levelled(np.random.default_rng(seed).standard_normal(round(seconds * EAR_HZ)))


def television(seconds: float, seed: int = 0) -> Samples:
    """Other people's speech out of a small loudspeaker in a room."""
    return televised(seconds, seed, _programme())


def televised(seconds: float, seed: int, lines: Sequence[Samples]) -> Samples:
    """`lines` out of a small loudspeaker (300-4000 Hz) in a room (decay 0.3 s)."""
    rng = np.random.default_rng(seed)
    out, at = np.zeros(round(seconds * EAR_HZ)), 0
    while at < len(out):
        line = lines[rng.integers(len(lines))].astype(np.float64)
        at = _put(out, line, at) + int(rng.uniform(0, 0.4) * EAR_HZ)
    room = rng.standard_normal(int(0.3 * EAR_HZ)) * np.exp(-np.arange(int(0.3 * EAR_HZ)) / (0.06 * EAR_HZ))
    room[0] = 8.0
    wet = np.fft.irfft(np.fft.rfft(out, 2 * len(out)) * np.fft.rfft(room, 2 * len(out)))[: len(out)]
    return levelled(band(np.asarray(wet), 300, 4000))


def echo(playback: Samples, gain_db: float = -20.0, delay: float = 0.12) -> Samples:
    """What her microphone hears of the assistant: `playback` (EAR_HZ) later, softer, band-limited. Not levelled."""
    late = np.concatenate((np.zeros(round(delay * EAR_HZ)), playback.astype(np.float64)))[: len(playback)]
    return np.asarray(band(late, 200, 3600) * 10 ** (gain_db / 20)).astype(np.int16)


# ---------------------------------------------------------------- synthesised people


def said(text: str, voice: str = "cmn", rate: int = 175) -> Samples:
    """espeak-ng speech at EAR_HZ; `voice` as espeak names it, e.g. `cmn+f2`, `en-gb-x-rp`."""
    samples, _ = _espeak().ask(text, voice, rate)
    return levelled(resampled(samples, WIRE_HZ, EAR_HZ).astype(np.float64))


@cache
def _espeak() -> EspeakProcess:
    import atexit

    process = EspeakProcess(command())
    atexit.register(process.stop)
    return process


@cache
def _programme() -> tuple[Samples, ...]:
    lines = (
        ("cmn", "今天下午我们去商场买点东西，然后回家做饭，你觉得怎么样"),
        ("cmn+f2", "这个牌子的纸尿裤打折吗，我想要两包大号的"),
        ("en-us+m3", "well, I think the weather is going to be fine this weekend so we could go out"),
        ("en-gb-x-rp", "the quarterly figures are on the desk next to the window, please have a look"),
        ("cmn+f4", "会员积分可以换购礼品，请到前台登记手机号码"),
    )
    return tuple(said(text, voice, 165) for voice, text in lines)


@cache
def _nonsense() -> tuple[Samples, ...]:
    return tuple(said(text, "cmn+f4", 150) for text in ("哇哇哇", "嗒嗒，嗒嗒", "妈妈妈妈", "呀呀，哦"))


def _put(out: Wave, part: Wave, at: int) -> int:
    """Adds `part` at sample `at`, cut at the end; returns where it ends."""
    room = max(0, min(len(part), len(out) - at))
    out[at : at + room] += part[:room]
    return at + len(part)


NOISES: dict[str, Callable[[float, int], Samples]] = {
    "cry 300-600 Hz": cry,
    "cry 250-350 Hz": lambda seconds, seed: cry(seconds, seed, (250.0, 350.0)),
    "toddler babble": toddler,
    "child's speech": child,
    "clatter": clatter,
    "music": music,
    "white noise": white,
    "television": television,
}
"""The noise set of the false-interruption table. Echo is made from the assistant's own speech by `echo`."""
