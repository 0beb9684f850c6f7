"""Who may interrupt? False interruptions by a household's noises, and real ones missed, through the detector and the
turn machine (no network, no recognizer: words can only help).

    python -m benchmarks.interruptions [--minutes 2]

Two tables. *Noise alone*, while the assistant speaks without end: cuts a minute (words lost to a noise), hushes a
minute (silences that resume at the exact sample) and how much of the time they take. *She speaks*, over noise at
0/5/10 dB: interruptions missed, and how long until silence and until the cut. `floor` is the same detector with the
usual rule (three frames of 32 ms in a row cut).
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.noises import NOISES, echo, said
from benchmarks.recordings import human, trimmed
from benchmarks.results import machine, save, spread
from media import turn_events as ev
from media.audio import EAR_HZ, AudioChunk, Samples
from media.engines.silero import SileroDetector
from media.engines.webrtc import WebRtcDetector
from media.hearing import Heard, Hearing
from media.turn import advance
from media.turn_state import Phase, Reply, Tuning, Turn, Utterance

CHUNK = EAR_HZ // 50
AGAIN_S = 1.0
"""After a cut the assistant speaks again this much later."""
SPEAKING = Turn(
    phase=Phase.ASSISTANT_SPEAKING,
    turn=1,
    revision=0,
    answered=0,
    last_turn=1,
    last_utterance=1,
    utterances=(Utterance(1, "问", ending=True, final=True),),
    reply=Reply(1, 0, "答"),
    ended=-10.0,
)
LINES = (
    ("cmn", "等一下，我要转人工"),
    ("cmn+f2", "不对，我问的是尿布"),
    ("cmn+f4", "你先停一停，宝宝吐奶了怎么办"),
    ("cmn+m3", "那个多少钱一罐"),
    ("en-us", "wait, I mean the other one"),
    ("en-us+f3", "stop, where is my order today"),
    ("en-gb-x-rp", "can I talk to a person please"),
    ("en-us+f2", "no no, not that one"),
)


@dataclass
class Reaction:
    """Times in seconds."""

    cuts: list[float] = field(default_factory=list)
    hushes: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    silent: float = 0.0

    def silence_after(self, at: float) -> float | None:
        """When it was silent from `at` on, or next."""
        hushed = [hush for hush in self.hushes if hush <= at]
        if (
            hushed
            and not any(hushed[-1] < back <= at for back in self.resumed)
            and not self._cut_between(hushed[-1], at)
        ):
            return at
        return next((hush for hush in self.hushes if hush > at), None)

    def _cut_between(self, start: float, end: float) -> bool:
        return any(start <= cut < end for cut in self.cuts)


def frames(sound: Samples, ours: Samples | None = None) -> Iterator[tuple[float, Heard]]:
    """(end of frame, what the pipeline's hearing makes of it)."""
    ours = (
        np.zeros(len(sound) + EAR_HZ, np.int16) if ours is None else np.concatenate((np.zeros(EAR_HZ, np.int16), ours))
    )
    at = 0
    hearing = Hearing(SileroDetector(), WebRtcDetector(), lambda: ours[at : at + EAR_HZ])
    for start in range(0, len(sound) - CHUNK + 1, CHUNK):
        at = start + CHUNK
        for heard in hearing.feed(AudioChunk(sound[start:at], EAR_HZ)):
            yield at / EAR_HZ, heard


def listen(sound: Samples, tuning: Tuning, ours: Samples | None = None) -> Reaction:
    """The assistant speaks all the time; what does the turn machine do about `sound`?"""
    heard, turn, silent_since, resting = Reaction(), SPEAKING, None, 0.0
    for at, frame in frames(sound, ours):
        if at < resting:
            continue
        events: list[ev.Event] = [ev.Frame(at, frame.seconds, frame.speech, frame.onset)]
        while events:
            turn, effects = advance(turn, events.pop(0), tuning)
            for effect in effects:
                match effect:
                    case ev.Pause():
                        heard.hushes.append(at)
                        silent_since = at
                    case ev.Resume() if silent_since is not None:
                        heard.silent += at - silent_since
                        heard.resumed.append(at)
                        silent_since = None
                    case ev.Guess():
                        events.append(ev.Partial(at, effect.utterance, None))
                    case ev.Finalize():
                        events.append(ev.Final(at, effect.utterance, ""))
                    case ev.Cut():
                        heard.cuts.append(at)
        if turn.reply is None:
            turn, resting, silent_since = replace(SPEAKING, wary_until=turn.wary_until), at + AGAIN_S, None
    return heard


def floor(sound: Samples) -> list[float]:
    """Three frames in a row."""
    cuts, run, resting = list[float](), 0, 0.0
    for at, frame in frames(sound):
        run = run + 1 if frame.speech >= 0.5 and at >= resting else 0
        if run == 3:
            cuts.append(at)
            run, resting = 0, at + AGAIN_S
    return cuts


# ---------------------------------------------------------------- tables


def noise_table(minutes: float, tuning: Tuning) -> dict[str, dict[str, float]]:
    assistant = np.resize(
        said("这款奶粉适合六个月以上的宝宝，冲调的水温是四十到五十度。", "cmn", 160), round(minutes * 60 * EAR_HZ)
    )
    table = {}
    for name, make in NOISES.items():
        table[name] = _row(make(minutes * 60, 7), minutes, tuning, None)
    for gain in (-20.0, -30.0):
        table[f"echo {gain:.0f} dB"] = _row(echo(assistant, gain), minutes, tuning, assistant)
    return table


def _row(sound: Samples, minutes: float, tuning: Tuning, ours: Samples | None) -> dict[str, float]:
    heard = listen(sound, tuning, ours)
    return {
        "cuts/min": len(heard.cuts) / minutes,
        "hushes/min": len(heard.hushes) / minutes,
        "silent %": 100 * heard.silent / (minutes * 60),
        "floor cuts/min": len(floor(sound)) / minutes,
    }


def speech_table(tuning: Tuning) -> dict[str, dict[str, float]]:
    spoken = [trimmed(said(text, voice)) for voice, text in LINES]
    people = {"synthesised": spoken, "human": list(human().values())}
    noises = {
        "quiet": None,
        "cry": "cry 300-600 Hz",
        "toddler": "toddler babble",
        "clatter": "clatter",
        "music": "music",
    }
    noises["television"] = "television"
    table = {}
    for kind, clips in people.items():
        for name, key in noises.items():
            for snr in (None,) if key is None else (0.0, 5.0, 10.0):
                table[f"{kind}, {name}{'' if snr is None else f' {snr:.0f} dB'}"] = _missed(clips, key, snr, tuning)
    return table


def _missed(clips: list[Samples], noise: str | None, snr: float | None, tuning: Tuning) -> dict[str, float]:
    hushes, cuts, missed, early = list[float](), list[float](), 0, 0
    for seed, clip in enumerate(clips):
        sound = _placed(clip, noise, snr, seed)
        heard = listen(sound, tuning)
        early += any(at < 1.0 for at in heard.cuts)
        cut = next((at - 1.0 for at in heard.cuts if at >= 1.0), None)
        hush = heard.silence_after(1.0)
        missed += cut is None and not any(at < 1.0 for at in heard.cuts)
        cuts += [] if cut is None else [cut * 1000]
        hushes += [] if hush is None else [(hush - 1.0) * 1000]
    return {"n": len(clips), "missed": missed, "already cut": early} | _named("silence", hushes) | _named("cut", cuts)


def _placed(clip: Samples, noise: str | None, snr: float | None, seed: int) -> Samples:
    """She begins after one second of noise and stops one second before the end."""
    padded = np.concatenate((np.zeros(EAR_HZ, np.int16), clip, np.zeros(EAR_HZ, np.int16)))
    if noise is None or snr is None:
        return padded
    other = NOISES[noise](len(padded) / EAR_HZ, 100 + seed).astype(np.float64) * 10 ** (-snr / 20)
    return np.asarray(np.clip(padded + np.resize(other, len(padded)), -32768, 32767)).astype(np.int16)


def _named(what: str, values: list[float]) -> dict[str, float]:
    return {f"{what} {key} ms": value for key, value in spread(values).items() if key in ("p50", "p95")}


def show(title: str, table: dict[str, dict[str, float]]) -> None:
    columns = list(next(iter(table.values())))
    print(f"\n{title}\n{'':28}" + "".join(f"{name:>17}" for name in columns))
    for name, row in table.items():
        print(f"{name:28}" + "".join(f"{row.get(column, float('nan')):17.1f}" for column in columns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0, help="of each noise")
    minutes = parser.parse_args().minutes
    print(machine())
    noise, speech = noise_table(minutes, Tuning()), speech_table(Tuning())
    show(f"noise alone, {minutes:g} min each", noise)
    show("she speaks over the assistant", speech)
    save(
        "interruptions", {"noise": noise, "speech": speech}, bars={name: row["cuts/min"] for name, row in noise.items()}
    )


if __name__ == "__main__":
    main()
