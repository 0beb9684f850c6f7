"""PURE: her voice over ours, or into our thinking: is it she, and does she want the floor?

The stages are drawn in media.turn. Judged by how long the voice lasts and, where a recognizer can tell, by its words.
"""

from dataclasses import replace
from typing import assert_never

from media import turn_events as ev
from media.backchannel import is_backchannel, is_substantial
from media.turn_events import Effect
from media.turn_state import Phase, Stage, Tuning, Turn, Utterance
from media.turn_steps import Step, settle, take_floor, without_reply
from media.turn_words import answer
from media.voicing import Voicing

_A_MOMENT = 0.02


def doubting(turn: Turn, frame: ev.Frame, tuning: Tuning) -> Step:
    """A frame came while THINKING or ASSISTANT_SPEAKING."""
    turn, effects = settle(turn) if _past_grace(turn, tuning) else (turn, ())
    if _fresh(turn, frame.onset, tuning):
        turn, more = _hush(turn, turn.at - frame.onset)
    elif _on_top(turn, frame, tuning):
        turn, more = _hush_again(turn)
    else:
        turn, more = _next_stage(turn, tuning)
    loudest = max(turn.loudest, frame.level) if turn.voicing.now else turn.loudest
    return replace(turn, loudest=loudest) if turn.doubt else turn, effects + more


def _fresh(turn: Turn, onset: float, tuning: Tuning) -> bool:
    """The quick detector hears her begin, and has not been wrong lately."""
    first, last = tuning.onset
    ours = turn.phase is Phase.ASSISTANT_SPEAKING and not turn.doubt
    return ours and first <= onset <= last and turn.at >= turn.wary_until


def _past_grace(turn: Turn, tuning: Tuning) -> bool:
    ours = turn.phase is Phase.ASSISTANT_SPEAKING and turn.stage is Stage.NONE and turn.answered >= 0
    return ours and (turn.typed or turn.at - turn.ended > tuning.grace)


def _next_stage(turn: Turn, tuning: Tuning) -> Step:
    voice = turn.voicing
    match turn.stage:
        case Stage.NONE if voice.voiced >= tuning.sign:
            return replace(turn, stage=Stage.DUCKED), unless_protected(turn, ev.Duck())
        case Stage.NONE:
            return replace(turn, voicing=voice.settled(tuning.forget)), ()
        case Stage.DUCKED if voice.gap > tuning.forget:
            return replace(turn, stage=Stage.NONE, voicing=voice.settled(tuning.forget)), (ev.Restore(),)
        case Stage.DUCKED if voice.voiced >= _hush_after(turn, tuning):
            return _hush(turn, voice.began)
        case Stage.DUCKED:
            return turn, ()
        case Stage.HUSHED | Stage.TALKED_OVER:
            return _decide(turn, tuning)
        case _:
            assert_never(turn.stage)


def _hush_after(turn: Turn, tuning: Tuning) -> float:
    return tuning.hush if turn.phase is Phase.ASSISTANT_SPEAKING else tuning.hush_thinking


def unless_protected(turn: Turn, effect: Effect) -> tuple[Effect, ...]:
    return () if turn.protected else (effect,)


def _hush(turn: Turn, onset: float) -> Step:
    doubt = Utterance(turn.last_utterance + 1)
    hushed = replace(turn, stage=Stage.HUSHED, doubt=doubt, last_utterance=doubt.id)
    return replace(hushed, hushed_at=turn.at, onset_at=onset, loudest=-120.0), (
        *unless_protected(turn, ev.Pause()),
        ev.Listen(doubt.id),
    )


def _on_top(turn: Turn, frame: ev.Frame, tuning: Tuning) -> bool:
    """She may be speaking on top of what we talk over."""
    over = turn.stage is Stage.TALKED_OVER and turn.voicing.now and frame.seconds > 0
    return over and frame.level >= turn.loudest + tuning.louder


def _hush_again(turn: Turn) -> Step:
    """The same doubt; what the recognizer found before is no longer what it would find."""
    doubt = replace(turn.doubt, wordless=False) if turn.doubt else None
    turn = replace(turn, stage=Stage.HUSHED, doubt=doubt, hushed_at=turn.at, onset_at=turn.at)
    return turn, unless_protected(turn, ev.Pause())


def heard(turn: Turn, doubt: Utterance, words: ev.Partial | ev.Final, tuning: Tuning) -> Step:
    """Words of the doubt."""
    if isinstance(words, ev.Final):
        doubt = replace(doubt, text=words.text, ending=True, final=True, confirm=words.confirm)
    else:
        doubt = replace(doubt, text=words.text or doubt.text, answered=True, wordless=words.text == "")
    return _decide(replace(turn, doubt=doubt), tuning)


def _decide(turn: Turn, tuning: Tuning) -> Step:
    doubt, voice = turn.doubt, turn.voicing
    if doubt is None:
        return turn, ()
    if _has_words(doubt, voice, tuning):
        return confirm(turn if doubt.confirm else _room(turn, tuning, has_words=True), doubt, tuning)
    if _is_long_enough(turn, doubt, tuning):
        return confirm(_room(turn, tuning, has_words=bool(doubt.text)), doubt, tuning)
    if doubt.final and voice.now:
        return _another(turn)
    if not voice.voiced and turn.at - turn.hushed_at >= tuning.onset_wait:
        return _let_go(replace(turn, wary_until=turn.at + tuning.onset_rest), doubt)
    if voice.gap >= tuning.release:
        return _quiet_again(turn, doubt, tuning)
    if not doubt.guessed and voice.voiced >= tuning.ask_words:
        return replace(turn, doubt=replace(doubt, guessed=True)), (ev.Guess(doubt.id),)
    return _talk_over(turn, doubt, tuning)


def _has_words(doubt: Utterance, voice: Voicing, tuning: Tuning) -> bool:
    return is_substantial(doubt.text) and voice.voiced >= tuning.least


def _is_long_enough(turn: Turn, doubt: Utterance, tuning: Tuning) -> bool:
    """By its length alone an interruption."""
    voiced = turn.voicing.voiced
    if is_backchannel(doubt.text):
        return voiced >= tuning.confirm_backchannel
    if doubt.wordless:
        return voiced >= tuning.confirm_wordless
    words_coming = doubt.guessed and not doubt.answered
    alone = tuning.confirm_unheard if words_coming else tuning.confirm
    return voiced >= alone * (2 if turn.doubtful else 1)


def _talk_over(turn: Turn, doubt: Utterance, tuning: Tuning) -> Step:
    hushed = turn.at - turn.hushed_at
    if doubt.wordless and turn.stage is Stage.HUSHED and hushed >= tuning.wordless / (2 if turn.doubtful else 1):
        return replace(turn, stage=Stage.TALKED_OVER), (ev.Resume(),)
    if turn.at - turn.voicing.began >= tuning.longest and not doubt.ending:
        return replace(turn, doubt=replace(doubt, ending=True)), (ev.Finalize(doubt.id, turn.at),)
    return turn, ()


def _room(turn: Turn, tuning: Tuning, *, has_words: bool) -> Turn:
    """Voice over ours without words may have been a child's, or a television; words prove that it was hers."""
    if has_words:
        return replace(turn, doubtful_until=0.0)
    ours = turn.phase is Phase.ASSISTANT_SPEAKING
    return replace(turn, doubtful_until=turn.at + tuning.doubtful) if ours else turn


def _quiet_again(turn: Turn, doubt: Utterance, tuning: Tuning) -> Step:
    voice = turn.voicing
    hopeless = voice.voiced < tuning.least or voice.gap >= tuning.release + tuning.patience
    if doubt.final or hopeless:
        lasted = voice.voiced >= tuning.confirm and not doubt.text
        return _let_go(_room(turn, tuning, has_words=False) if lasted else turn, doubt)
    if doubt.ending:
        return turn, ()
    return replace(turn, doubt=replace(doubt, ending=True)), (ev.Finalize(doubt.id, voice.ended),)


def _another(turn: Turn) -> Step:
    """What she said was nothing, but meanwhile she has gone on: still silent, a new doubt."""
    doubt, voice = Utterance(turn.last_utterance + 1), turn.voicing
    turn = replace(turn, doubt=doubt, last_utterance=doubt.id)
    return replace(turn, voicing=replace(voice, voiced=_A_MOMENT, began=voice.ended)), (ev.Listen(doubt.id),)


def _let_go(turn: Turn, doubt: Utterance) -> Step:
    """It was nothing: go on from the exact sample."""
    effects: tuple[Effect, ...] = (ev.Resume(), ev.Restore(), ev.Forget(doubt.id))
    if turn.phase is Phase.ASSISTANT_SPEAKING:
        effects += (_barged_in(turn, false=True),)
    return replace(turn, stage=Stage.NONE, doubt=None, voicing=Voicing()), effects


def _barged_in(turn: Turn, *, false: bool) -> ev.BargedIn:
    said = turn.reply.turn if turn.reply else turn.turn
    return ev.BargedIn(said, turn.onset_at, turn.hushed_at, false)


def confirm(turn: Turn, doubt: Utterance, tuning: Tuning) -> Step:
    """She has the floor: the same turn goes on if its reply was hardly heard, else a new one begins."""
    effects: tuple[Effect, ...] = ()
    if turn.phase is Phase.ASSISTANT_SPEAKING:
        effects = (_barged_in(turn, false=False),)
    if (
        not turn.voicing.voiced
    ):  # only the quick detector has heard her: without a moment of voice no silence would follow it
        turn = replace(turn, voicing=Voicing(_A_MOMENT, began=turn.onset_at, ended=turn.at))
    reopen = _reopens(turn, tuning)
    turn, cut = without_reply(turn)
    turn, settled = (turn, ()) if reopen else settle(turn)
    turn = take_floor(turn, doubt, reopen=reopen)
    shown = (ev.Caption(turn.turn, turn.text, final=turn.overheard),) if turn.text else ()
    effects += (*cut, *settled, ev.Restore(), ev.Resume(), *shown)
    turn, more = answer(turn) if turn.phase is Phase.THINKING and turn.overheard else (turn, ())
    return turn, effects + more


def _reopens(turn: Turn, tuning: Tuning) -> bool:
    if turn.settled or turn.typed or (turn.reply and turn.reply.announced):
        return False
    return turn.phase is Phase.THINKING or turn.voicing.began - turn.ended <= tuning.grace
