"""Does it wait long enough, and no longer? Turns with a pause of 250-1200 ms inside, through the turn machine.

    python -m benchmarks.endpointing [--turns 600] [--partial-ms 150]

Each turn is a sentence broken at a hesitation: she speaks, pauses, goes on, and stops. *Cut-ins*: the turn was taken
as over within the pause. *Split*: a cut-in that stood, so that she got two answers; the others were taken back when
she went on (grace period), and she heard at most the pause's rest of an answer. *Delay*: silence after the real end
until the turn was taken as over. `fixed` waits as long for every turn; `blind` has no recognizer's words. `ours` sees
the words as a recognizer would give them, `--partial-ms` after a pause begins, with `wrong` of the characters lost.
Pauses of a speaker vary around her own mean, so that there is something to learn; speakers' means are spread evenly
over 250-1200 ms.
Text is written for this benchmark, not taken
from the rules: a third of the breaks are after a clause that could stand alone, which no rule about words can see.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.results import machine, save, spread
from media import endpointing
from media import turn_events as ev
from media.endpointing import Habits
from media.turn import advance
from media.turn_state import Phase, Turn

FRAME_S = 0.032
TURNS = (
    "我想问一下|这个奶粉怎么冲",
    "宝宝昨天晚上|一直哭怎么办",
    "我家宝宝六个月了|可以吃米粉吗",
    "那个|我上次买的纸尿裤能退吗",
    "我的电话是|13800138000",
    "138|00138000",
    "因为她有点过敏|所以想换一个牌子",
    "有没有三段的|就是一岁以上喝的",
    "你们店|几点关门",
    "我想预约|周六下午到店",
    "他今天拉肚子|拉了三次",
    "我想买奶粉|要有机的那种",
    "能不能帮我查一下|我的订单到哪里了",
    "如果开封了|还可以放多久",
    "这个吸奶器和|那个有什么区别",
    "我要两包|大号的",
    "嗯|我想转人工",
    "她不肯喝奶|已经两天了",
    "优惠券|怎么用不了",
    "请问|会员积分怎么换",
    "体温三十八度五|要不要去医院",
    "我刚生完|奶水不够怎么办",
    "这款有货吗|我在西湖店附近",
    "红屁股|是不是湿疹",
    "奶瓶要|每天消毒吗",
    "没有|我是说另外一个",
    "他八个月大|体重只有七公斤",
    "可以送货吗|送到滨江",
    "我想给宝宝|挑一个安全座椅",
    "对了|还有一件事",
    "I would like to|return these diapers",
    "my baby is|six months old",
    "do you have|size two in stock",
    "no no wait|I mean the other one",
    "what time do you|close on sunday",
    "she has been crying|since last night",
    "I ordered it last week and|it has not arrived",
    "is it okay if|I mix it with cold water",
    "well|can I talk to a person",
    "my number is|5 5 5 0 1 2 3 4 5 6 7",
    "how much is the|organic one",
    "I want to book a visit|for saturday please",
    "the pump is broken|what should I do",
    "can you tell me|where my parcel is",
    "he does not drink|from the bottle",
)
SPEAKERS, PER_SPEAKER = 20, 30
AUDIBLE_S = 0.06
"""From the end of a turn to the first sound of its answer: instant engines, one frame on its way."""
Wait = Callable[[str, Habits, bool], float]


@dataclass
class Score:
    cut_ins: int
    split: int
    delays: list[float]


def fixed(seconds: float) -> Wait:
    return lambda _text, _habits, _coming: seconds


def run(turns: int, partial_s: float, words: bool, wrong: float, seed: int = 5) -> Score:
    rng = np.random.default_rng(seed)
    score = Score(0, 0, [])
    for speaker in range(SPEAKERS):
        mean = np.interp(speaker, (0, SPEAKERS - 1), (0.3, 1.1))
        turn, at = Turn(), 0.0
        for _ in range(turns // SPEAKERS):
            before, after = TURNS[rng.integers(len(TURNS))].split("|")
            pause = float(np.clip(rng.normal(mean, 0.15), 0.25, 1.2))
            parts = [_misheard(part, wrong, rng) for part in (before, after)]
            turn, at = _turn(turn, at, parts, pause, partial_s, words, score)
    return score


def _misheard(text: str, wrong: float, rng: np.random.Generator) -> str:
    return "".join(char for char in text if rng.random() >= wrong)


def _turn(
    turn: Turn,
    at: float,
    parts: list[str],
    pause: float,
    partial_s: float,
    words: bool,
    score: Score,
) -> tuple[Turn, float]:
    """One turn of hers through the real machine."""
    spoken_until, began = at + 1.0, at
    second = spoken_until + pause
    end = second + 1.0
    due: list[tuple[float, ev.Event]] = []
    cut, taken, before = False, None, turn.last_turn

    def said(now: float) -> str:
        return "".join(parts) if now > end and not cut else parts[now > end]

    while taken is None:
        at += FRAME_S
        speech = began < at <= spoken_until or second < at <= end
        events: list[ev.Event] = [event for when, event in due if when <= at]
        due = [(when, event) for when, event in due if when > at]
        events.append(ev.Frame(at, FRAME_S, float(speech)))
        while events:
            turn, effects = advance(turn, events.pop(0))
            for effect in effects:
                match effect:
                    case ev.Guess(utterance):
                        later, text = (partial_s, said(at)) if words else (0.0, None)
                        due.append((at + later, ev.Partial(at, utterance, text)))
                    case ev.Finalize(utterance):
                        cut, taken = cut or at < second, None if at < second else at
                        events.append(ev.Final(at, utterance, said(at)))
                    case ev.Commit(number, revision):
                        due.append((at + AUDIBLE_S, ev.Audible(at + AUDIBLE_S, number, revision)))
    score.cut_ins += cut
    score.split += turn.last_turn - before > 1
    score.delays.append((taken - end) * 1000)
    return _rested(turn, at), at + 3.0


def _rested(turn: Turn, at: float) -> Turn:
    """The reply has been heard."""
    if turn.reply:
        turn, _ = advance(turn, ev.Audible(at, turn.reply.turn, turn.reply.revision))
    if turn.reply:
        turn, _ = advance(turn, ev.Over(at + 2.0, turn.reply.turn, turn.reply.revision))
    for i in range(20):
        turn, _ = advance(turn, ev.Frame(at + 2.0 + i * FRAME_S, FRAME_S, 0.0))
    assert turn.phase is Phase.LISTENING
    return turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=SPEAKERS * PER_SPEAKER)
    parser.add_argument("--partial-ms", type=float, default=150)
    options = parser.parse_args()
    partial_s = options.partial_ms / 1000
    rows: dict[str, tuple[Wait | None, bool, float]] = {
        "fixed 500 ms": (fixed(0.5), True, 0.0),
        "fixed 700 ms": (fixed(0.7), True, 0.0),
        "fixed 1000 ms": (fixed(1.0), True, 0.0),
        "ours": (None, True, 0.0),
        "ours, 10 % of characters lost": (None, True, 0.1),
        "ours, nothing learned": (lambda text, _, coming: _own(text, Habits(), words_coming=coming), True, 0.0),
        "ours, blind": (None, False, 0.0),
    }
    print(machine())
    print(f"{'':32}{'cut-ins %':>12}{'split %':>10}{'delay mean':>12}{'p50':>8}{'p95':>8}   N={options.turns}")
    numbers = {}
    for name, (wait, words, wrong) in rows.items():
        with _waiting(wait):
            score = run(options.turns, partial_s, words, wrong)
        row = spread(score.delays) | {"mean": float(np.mean(score.delays))}
        row["cut_ins"] = 100 * score.cut_ins / len(score.delays)
        row["split"] = 100 * score.split / len(score.delays)
        numbers[name] = row
        print(
            f"{name:32}{row['cut_ins']:12.1f}{row['split']:10.1f}{row['mean']:12.0f}{row['p50']:8.0f}{row['p95']:8.0f}"
        )
    save("endpointing", numbers, {f"{name}, mean delay": row["mean"] for name, row in numbers.items()}, "ms")


_own = endpointing.delay


class _waiting:
    """The machine asks `wait` instead of its own rules."""

    def __init__(self, wait: Wait | None) -> None:
        self._wait = wait

    def __enter__(self) -> None:
        from media import turn

        wait = self._wait
        if wait:
            turn.delay = lambda text, habits, *, words_coming: wait(text, habits, words_coming)  # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        from media import turn

        turn.delay = _own


if __name__ == "__main__":
    main()
