"""Who may interrupt? False interruptions by a household's noises, and real ones missed, through the detector and the
turn machine (no network).

    python -m benchmarks.interruptions [--minutes 1]

*Noise alone*, three seeds, while the assistant speaks without end: cuts a minute (words lost to a noise), hushes a
minute (silences that resume at the exact sample) and the share of the time in which it cannot be heard (hushed, or cut
and not yet speaking again). *She speaks*, over noise at 0/5/10 dB: interruptions missed, and how long until silence and
until the cut. *She speaks after twenty seconds of it*: the same where the room has made the machine doubtful.

Without a recognizer, and (`heard`) with one that answers after 0.2 s: no words in a child's or a baby's sounds, words
in television and in hers. That it finds none in nonsense is an assumption: no weights are at hand to try. `held out`
are seeds nothing was tuned with; "human" rows are made of recordings, not of espeak. `floor` is the same detector with
the usual rule (three frames of 32 ms in a row cut).
"""

import argparse
from collections.abc import Callable

import numpy as np

from benchmarks.noises import NOISES, childlike, echo, said, televised
from benchmarks.recordings import human, trimmed
from benchmarks.results import machine, save, spread
from benchmarks.room import AGAIN_S, Reaction, Words, floor, frames, listen
from media.audio import EAR_HZ, Samples
from media.hearing import Heard
from media.turn_state import Tuning

Noise = Callable[[float, int], Samples]

SEEDS, HELD_OUT = (7, 8, 9), (1007, 1008, 1009)
SPEECHLIKE = ("toddler babble", "child's speech", "television")
WORDY = "television"
"""The noise a recognizer finds words in."""
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


# ---------------------------------------------------------------- tables


def noise_table(minutes: float, tuning: Tuning) -> dict[str, dict[str, float]]:
    speechlike = {name: NOISES[name] for name in SPEECHLIKE} | _of_people()
    table = {name: _mean_row(name, make, SEEDS, minutes, tuning) for name, make in (NOISES | speechlike).items()}
    for name, make in speechlike.items():
        table[f"{name}, held out"] = _mean_row(name, make, HELD_OUT, minutes, tuning)
    return table | echo_table(minutes, tuning)


def _mean_row(name: str, make: Noise, seeds: tuple[int, ...], minutes: float, tuning: Tuning) -> dict[str, float]:
    rows = [_noise_row(name, make(minutes * 60, seed), minutes, tuning) for seed in seeds]
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


def _of_people() -> dict[str, Noise]:
    lines = list(human().values())
    return {
        "child, human": lambda seconds, seed: childlike(seconds, seed, lines),
        "television, human": lambda seconds, seed: televised(seconds, seed, lines),
    }


def echo_table(minutes: float, tuning: Tuning) -> dict[str, dict[str, float]]:
    text = "这款奶粉适合六个月以上的宝宝，冲调的水温是四十到五十度。"
    assistant = np.resize(said(text, "cmn", 160), round(minutes * 60 * EAR_HZ))
    return {
        f"echo {gain:.0f} dB": _row(list(frames(echo(assistant, gain), assistant)), minutes, tuning, "")
        for gain in (-20.0, -30.0)
    }


def _noise_row(name: str, sound: Samples, minutes: float, tuning: Tuning) -> dict[str, float]:
    return _row(list(frames(sound)), minutes, tuning, "今天下午" if WORDY in name else "")


def _row(heard: list[tuple[float, Heard]], minutes: float, tuning: Tuning, words: str) -> dict[str, float]:
    row = {}
    recognizers: dict[str, Words | None] = {"": None, ", heard": lambda _: words}
    for mark, recognizer in recognizers.items():
        reaction = listen(heard, tuning, recognizer)
        row["cuts/min" + mark] = len(reaction.cuts) / minutes
        row["hushes/min" + mark] = len(reaction.hushes) / minutes
        row["silent %" + mark] = 100 * reaction.silent / (minutes * 60)
    return row | {"floor cuts/min": len(floor(heard)) / minutes}


def speech_table(tuning: Tuning) -> dict[str, dict[str, float]]:
    noises = {
        "quiet": None,
        "cry": "cry 300-600 Hz",
        "toddler": "toddler babble",
        "clatter": "clatter",
        "music": "music",
        "television": "television",
    }
    table = {}
    for kind, clips in _people().items():
        for name, key in noises.items():
            for snr in (None,) if key is None else (0.0, 5.0, 10.0):
                table[f"{kind}, {name}{'' if snr is None else f' {snr:.0f} dB'}"] = _missed(clips, key, snr, tuning)
    return table


def doubtful_table(tuning: Tuning) -> dict[str, dict[str, float]]:
    """She speaks after twenty seconds of it."""
    return {
        f"{kind}, {name} {snr:.0f} dB": _missed(clips, name, snr, tuning, lead=20.0)
        for kind, clips in _people().items()
        for name in SPEECHLIKE
        for snr in (5.0, 15.0)
    }


def _people() -> dict[str, list[Samples]]:
    return {
        "synthesised": [trimmed(said(text, voice)) for voice, text in LINES],
        "human": list(human().values()),
    }


def _missed(
    clips: list[Samples], noise: str | None, snr: float | None, tuning: Tuning, lead: float = 1.0
) -> dict[str, float]:
    sounds = [list(frames(_placed(clip, noise, snr, seed, lead))) for seed, clip in enumerate(clips)]
    row = {"n": float(len(clips))}
    for mark, heard in (("", False), (", heard", True)):
        reactions = [
            listen(sound, tuning, _hers(lead, len(clip) / EAR_HZ, noise == WORDY) if heard else None)
            for sound, clip in zip(sounds, clips, strict=True)
        ]
        row |= {key + mark: value for key, value in _reacted(reactions, lead).items()}
    return row


def _hers(lead: float, seconds: float, wordy: bool) -> Words:
    """A recognizer has her first words half a second after her onset."""
    return lambda at: "等一下" if wordy or lead + 0.5 <= at <= lead + seconds + 1.0 else ""


def _reacted(reactions: list[Reaction], lead: float) -> dict[str, float]:
    """`already cut`: less than a second before her onset."""
    hushes, cuts, missed, early = list[float](), list[float](), 0, 0
    for reaction in reactions:
        before = any(lead - AGAIN_S <= at < lead for at in reaction.cuts)
        cut = next((at - lead for at in reaction.cuts if at >= lead), None)
        hush = reaction.silence_after(lead)
        early, missed = early + before, missed + (cut is None and not before)
        cuts += [] if cut is None else [cut * 1000]
        hushes += [] if hush is None else [(hush - lead) * 1000]
    return {"missed": missed, "already cut": early} | _named("silence", hushes) | _named("cut", cuts)


def _placed(clip: Samples, noise: str | None, snr: float | None, seed: int, lead: float) -> Samples:
    """She begins after `lead` seconds of noise and stops one second before the end."""
    padded = np.concatenate((np.zeros(round(lead * EAR_HZ), np.int16), clip, np.zeros(EAR_HZ, np.int16)))
    if noise is None or snr is None:
        return padded
    other = NOISES[noise](len(padded) / EAR_HZ, 100 + seed).astype(np.float64) * 10 ** (-snr / 20)
    return np.asarray(np.clip(padded + np.resize(other, len(padded)), -32768, 32767)).astype(np.int16)


def _named(what: str, values: list[float]) -> dict[str, float]:
    return {f"{what} {key} ms": value for key, value in spread(values).items() if key in ("p50", "p95")}


def show(title: str, table: dict[str, dict[str, float]]) -> None:
    columns = list(next(iter(table.values())))
    print(f"\n{title}\n{'':32}" + "".join(f"{name:>24}" for name in columns))
    for name, row in table.items():
        print(f"{name:32}" + "".join(f"{row.get(column, float('nan')):24.1f}" for column in columns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="of each noise and seed")
    minutes = parser.parse_args().minutes
    print(machine())
    noise, speech, doubtful = noise_table(minutes, Tuning()), speech_table(Tuning()), doubtful_table(Tuning())
    show(f"noise alone, {minutes:g} min of each seed", noise)
    show("she speaks over the assistant", speech)
    show("she speaks after twenty seconds of noise", doubtful)
    tables = {"noise": noise, "speech": speech, "doubtful": doubtful}
    save("interruptions", tables, bars={name: row["cuts/min"] for name, row in noise.items()})


if __name__ == "__main__":
    main()
