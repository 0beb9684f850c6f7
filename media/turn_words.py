"""PURE: from her words to a reply: partials and speculation, the final text, typed text."""

from dataclasses import replace

from media import turn_events as ev
from media.endpointing import completeness
from media.turn_state import Phase, Stage, Tuning, Turn, Utterance, same_words
from media.turn_steps import Step, ask, new_turn, rest, settle, steady, take_floor, without_reply
from media.voicing import Voicing

LIKELY = 0.5
"""Completeness from which on a guess is worth the responder's work."""


def partial(turn: Turn, heard: ev.Partial, tuning: Tuning) -> Step:
    known = turn.utterance(heard.utterance)
    if known is None or known.final:
        return turn, ()
    before = turn.text
    turn = turn.with_utterance(replace(known, text=heard.text or known.text, answered=True))
    shown = (ev.Caption(turn.turn, turn.text, final=False),) if turn.text != before else ()
    turn, effects = _speculate(turn, tuning)
    return turn, shown + effects


def _speculate(turn: Turn, tuning: Tuning) -> Step:
    """She pauses, and what she has said may be all: start on the answer, behind the gate."""
    pausing = turn.phase is Phase.CUSTOMER_SPEAKING and turn.utterances[-1].guessed
    allowed = not turn.muted and not turn.handed_over and turn.guesses < tuning.guesses
    if not pausing or not allowed or turn.reply or not turn.text or completeness(turn.text) < LIKELY:
        return turn, ()
    return ask(replace(turn, guesses=turn.guesses + 1), speculative=True)


def final(turn: Turn, heard: ev.Final) -> Step:
    known = turn.utterance(heard.utterance)
    if known is None or known.final:
        return turn, ()
    known = replace(known, text=heard.text, answered=True, ending=True, final=True, confirm=heard.confirm)
    turn = turn.with_utterance(known)
    turn = replace(turn, doubtful_until=0.0) if known.text and not known.confirm else turn
    shown = (ev.Caption(turn.turn, turn.text, final=turn.overheard),) if turn.text else ()
    turn, effects = answer(turn) if turn.phase is Phase.THINKING and turn.overheard else (turn, ())
    return turn, shown + effects


def answer(turn: Turn) -> Step:
    """All her words are there. A speculative reply to the same words is the reply; else it is thrown away."""
    if not turn.text or turn.muted or turn.handed_over:
        return _no_reply(turn)
    if turn.reply and turn.reply.speculative and same_words(turn.reply.text, turn.text):
        reply = replace(turn.reply, speculative=False)
        return replace(turn, reply=reply), (ev.Commit(reply.turn, reply.revision),)
    turn, dropped = without_reply(turn)
    turn, asked = ask(turn, speculative=False)
    return turn, dropped + asked


def _no_reply(turn: Turn) -> Step:
    turn, dropped = without_reply(turn)
    if turn.doubt:
        return take_floor(turn, turn.doubt, reopen=True), dropped + steady(turn)
    turn, settled = settle(turn)
    turn, resting = rest(turn)
    return turn, dropped + settled + resting


def typed(turn: Turn, entry: ev.Typed) -> Step:
    """Typing is the clearest wish to speak there is: it needs no doubt."""
    turn, effects = clear(turn)
    utterance = Utterance(turn.last_utterance + 1, entry.text, ending=True, final=True)
    turn = replace(
        new_turn(turn, utterance, typed=True, written=entry.source == "typed"),
        last_utterance=utterance.id,
        voicing=Voicing(),
    )
    if turn.handed_over:
        turn, more = settle(replace(turn, phase=Phase.LISTENING))
    else:
        turn, more = ask(replace(turn, phase=Phase.THINKING), speculative=False, source=entry.source)
    shown = () if turn.written else (ev.Caption(turn.turn, entry.text, final=True),)  # above its answer
    return turn, effects + shown + more


def clear(turn: Turn) -> Step:
    """Nobody is speaking and nothing is on its way: her open utterances, her doubt and the reply are gone."""
    open_ = [u for u in (*turn.utterances, *filter(None, (turn.doubt,))) if not u.ending]
    forget = tuple(ev.Forget(u.id) for u in open_)
    calm = steady(turn)
    turn, cut = without_reply(turn)
    turn, settled = settle(turn)
    return replace(turn, stage=Stage.NONE, doubt=None), cut + settled + forget + calm
