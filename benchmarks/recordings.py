"""Human recordings for benchmarks: the test clips in pocketsphinx' source distribution (BSD), fetched by pip at bench
time into the system's temporary directory, never committed."""

import subprocess
import sys
import tarfile
import tempfile
import wave
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.noises import levelled
from media.audio import EAR_HZ, Samples

VERSION = "5.1.1"
CLIPS = (
    *(f"cards/{i:03d}.wav" for i in range(1, 6)),
    *(f"librivox/sense_and_sensibility_01_austen_64kb-{i:04d}.wav" for i in (870, 880, 890, 920, 930)),
    "goforward.raw",
    "numbers.raw",
    "something.raw",
)


def trimmed(samples: Samples, below_db: float = 20.0) -> Samples:
    """From the first to the last 40 ms within `below_db` of the loudest: its edges are onset and end of speech."""
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320).astype(np.float64)
    level = np.sqrt((frames**2).mean(axis=1))
    loud = level > level.max() * 10 ** (-below_db / 20)
    pairs = np.flatnonzero(loud[:-1] & loud[1:])
    return samples[pairs[0] * 320 : (pairs[-1] + 2) * 320]


@cache
def human() -> dict[str, Samples]:
    """name -> speech at EAR_HZ, trimmed to its edges, -20 dBFS."""
    archive = _fetched()
    with tarfile.open(archive) as tar:
        return {name: trimmed(levelled(_read(tar, name).astype(np.float64))) for name in CLIPS}


def _fetched() -> Path:
    home = Path(tempfile.gettempdir()) / "nestcall-recordings"
    archive = home / f"pocketsphinx-{VERSION}.tar.gz"
    if not archive.exists():
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", "pocketsphinx"]
        subprocess.run([*command, "-d", str(home), f"pocketsphinx=={VERSION}"], check=True, timeout=300)
    return archive


def _read(tar: tarfile.TarFile, name: str) -> Samples:
    member = tar.extractfile(f"pocketsphinx-{VERSION}/test/data/{name}")
    assert member is not None
    if name.endswith(".raw"):
        return np.frombuffer(member.read(), "<i2")
    with wave.open(member) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (EAR_HZ, 1)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
