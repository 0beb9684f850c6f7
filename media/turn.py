"""PURE: whose turn it is.

::

                       voice                      silence (endpointing)
      ┌─> LISTENING ─────────> CUSTOMER_SPEAKING ─────────────────────> THINKING
      │       ^                       ^                                    │ reply audible
      │       │ reply over            │ she goes on (same turn, next       v
      │       └───────────────────────┼ revision) or barges in ──── ASSISTANT_SPEAKING
      │ no words                      └──────────────── confirmed doubt ───┘ (and from THINKING)
      └─ THINKING

While THINKING or ASSISTANT_SPEAKING her voice is a *doubt*, in stages::

      NONE ──first sign──> DUCKED ──hush──> HUSHED ──words, or voiced long enough──> cut; her turn
        ^ Restore            │               │  │                                       ^
        ├────── quiet ───────┘               │  └─no words in it─> TALKED_OVER ──words──┘
        └─ quiet, or only "嗯": resume at ───┴───────quiet─────────────┘
           the exact sample

HUSHED is silence already, but one that loses nothing: that is why it may come after a tenth of a second, long before we
know. TALKED_OVER is a child's babble: the recognizer finds nothing in it, so there is nothing to answer; we go on, and
listen on. A reply is known by (turn, revision), asked for once, cut at most once, and heard only after `Commit`; a turn
is `Settle`d when it can no longer be reopened. Protected speech (the notice, a red flag) is outside of all this: it
plays, and she is heard meanwhile. `advance` is total: events that come too late change nothing.
"""

from dataclasses import replace
from typing import assert_never

from media import turn_events as ev
from media import turn_words as words
from media.endpointing import delay
from media.turn_doubt import confirm, doubting, heard, unless_protected
from media.turn_events import Event
from media.turn_state import Phase, Stage, Tuning, Turn, Utterance
from media.turn_steps import Step, announce, new_turn, rest, settle, silent, without_reply

DEFAULT = Tuning()


def advance(turn: Turn, event: Event, tuning: Tuning = DEFAULT) -> Step:
    turn = replace(turn, at=event.at)
    match event:
        case ev.Frame():
            return _frame(turn, event, tuning)
        case ev.Partial() | ev.Final() if turn.doubt and turn.doubt.id == event.utterance:
            return heard(turn, turn.doubt, event, tuning)
        case ev.Partial():
            return words.partial(turn, event, tuning)
        case ev.Final():
            return words.final(turn, event)
        case ev.Typed():
            return words.typed(turn, event)
        case ev.Say():
            return _say(turn, event, tuning)
        case ev.Audible():
            return _audible(turn, event)
        case ev.Over():
            return _over(turn, event, tuning)
        case ev.Interrupt():
            return _interrupt(turn, tuning)
        case ev.HandOver():
            return _interrupt(replace(turn, handed_over=True), tuning)
        case ev.TakeBack():
            return replace(turn, handed_over=False, quiet_since=event.at), ()
        case ev.HangUp():
            return _hang_up(turn, tuning)
        case ev.Close():
            return _close(turn)
        case _:
            assert_never(event)


# ---------------------------------------------------------------- her voice


def _frame(turn: Turn, frame: ev.Frame, tuning: Tuning) -> Step:
    gap = turn.voicing.gap
    turn = replace(turn, voicing=turn.voicing.hear(frame.at, frame.seconds, frame.speech))
    match turn.phase:
        case Phase.LISTENING:
            return _listening(turn, tuning)
        case Phase.CUSTOMER_SPEAKING:
            return _going_on(turn, gap, tuning) if turn.voicing.now else _pausing(turn, frame.onset, tuning)
        case Phase.THINKING | Phase.ASSISTANT_SPEAKING:
            return doubting(turn, frame, tuning)
        case _:
            assert_never(turn.phase)


def _listening(turn: Turn, tuning: Tuning) -> Step:
    if turn.voicing.voiced >= tuning.start:
        return _begin(turn)
    turn = replace(turn, voicing=turn.voicing.settled(tuning.forget))
    if turn.quiet and turn.at - turn.quiet_since >= tuning.idle:
        times = turn.idles + 1
        return replace(turn, quiet_since=turn.at, idles=times), (ev.Idle(tuning.idle, times),)
    return turn, ()


def _begin(turn: Turn) -> Step:
    first = Utterance(turn.last_utterance + 1)
    turn = replace(new_turn(turn, first), phase=Phase.CUSTOMER_SPEAKING, last_utterance=first.id)
    return turn, (ev.Listen(first.id),)


def _going_on(turn: Turn, gap: float, tuning: Tuning) -> Step:
    """Voice. If there was a pause before it, that teaches how she pauses, and what was guessed in it is void."""
    last = turn.utterances[-1]
    if turn.at - turn.voicing.began >= tuning.longest:
        return _next_utterance(turn, last)
    if not last.guessed:
        return turn, ()
    turn = turn.with_utterance(replace(last, guessed=False, answered=False))
    return without_reply(replace(turn, habits=turn.habits.paused(gap)))


def _next_utterance(turn: Turn, last: Utterance) -> Step:
    """She speaks for longer than a recognizer takes in one piece."""
    ended = () if last.final else (ev.Finalize(last.id, turn.at),)
    turn = turn.with_utterance(replace(last, ending=True))
    following = Utterance(turn.last_utterance + 1)
    turn = replace(
        turn,
        utterances=(*turn.utterances, following),
        last_utterance=following.id,
        voicing=replace(turn.voicing, began=turn.at),
    )
    return turn, (*ended, ev.Listen(following.id))


def _pausing(turn: Turn, onset: float, tuning: Tuning) -> Step:
    """Her turn is not over in the moment the quick detector hears her begin again; a noise that stays holds nothing."""
    last = turn.utterances[-1]
    known = turn.text if last.text else ""
    wait = delay(known, turn.habits, words_coming=last.guessed and not last.answered)
    if turn.voicing.gap >= wait and not 0 < onset <= tuning.onset[1]:
        return _end_of_speech(turn, last)
    if turn.voicing.gap >= tuning.guess and not last.guessed and not last.final:
        return turn.with_utterance(replace(last, guessed=True)), (ev.Guess(last.id),)
    return turn, ()


def _end_of_speech(turn: Turn, last: Utterance) -> Step:
    if last.final:  # the recognizer gave up while she spoke
        turn = silent(turn)
        return words.answer(turn) if turn.overheard else (turn, ())
    turn = silent(turn.with_utterance(replace(last, ending=True)))
    return turn, (ev.Finalize(last.id, turn.ended),)


# ---------------------------------------------------------------- our voice


def _say(turn: Turn, say: ev.Say, tuning: Tuning) -> Step:
    if say.protected:
        return _say_protected(turn, say, tuning)
    if turn.handed_over:
        return turn, ()
    if turn.phase is Phase.LISTENING:
        return announce(turn, say)
    return replace(turn, later=(*turn.later, say)[-tuning.later :]), ()


def _say_protected(turn: Turn, say: ev.Say, tuning: Tuning) -> Step:
    turn, effects = _confirmed(turn, tuning)
    number = turn.last_turn + 1
    turn = replace(turn, protected=turn.protected | {number}, last_turn=number)
    return turn, (*effects, ev.Restore(), ev.Speak(number, say.text, protected=True))


def _confirmed(turn: Turn, tuning: Tuning) -> Step:
    """No time for doubts."""
    return confirm(turn, turn.doubt, tuning) if turn.doubt else (turn, ())


def _audible(turn: Turn, told: ev.Audible) -> Step:
    reply = turn.reply
    if not reply or not _is_current(turn, told):
        return turn, ()
    answered = turn.answered if reply.announced else reply.revision
    return replace(turn, phase=Phase.ASSISTANT_SPEAKING, answered=answered), ()


def _is_current(turn: Turn, told: ev.Audible | ev.Over) -> bool:
    reply = turn.reply
    return reply is not None and not reply.speculative and (reply.turn, reply.revision) == (told.turn, told.revision)


def _over(turn: Turn, over: ev.Over, tuning: Tuning) -> Step:
    if over.turn in turn.protected:
        turn = replace(turn, protected=turn.protected - {over.turn}, quiet_since=over.at)
        return turn, unless_protected(turn, ev.Pause()) if turn.stage is Stage.HUSHED else ()
    if not turn.reply or not _is_current(turn, over):
        return turn, ()
    turn, settled = (turn, ()) if turn.reply.announced else settle(replace(turn, answered=over.revision))
    turn = replace(turn, reply=None)
    turn, more = _confirmed(turn, tuning) if turn.doubt else rest(turn)
    return turn, settled + more


# ---------------------------------------------------------------- the gateway's word


def _interrupt(turn: Turn, tuning: Tuning) -> Step:
    turn, effects = _confirmed(replace(turn, later=()), tuning)
    turn, cut = without_reply(replace(turn, muted=True, protected=frozenset()))
    effects += (*cut, ev.Silence())
    if turn.phase in (Phase.LISTENING, Phase.CUSTOMER_SPEAKING) or not turn.overheard:
        return turn, effects
    turn, settled = settle(turn)
    turn, resting = rest(turn)
    return turn, effects + settled + resting


def _hang_up(turn: Turn, tuning: Tuning) -> Step:
    """Her last words may have no silence behind them."""
    turn, effects = _interrupt(replace(turn, handed_over=True), tuning)
    if turn.phase is not Phase.CUSTOMER_SPEAKING:
        return turn, effects
    turn, ended = _end_of_speech(turn, turn.utterances[-1])
    return turn, effects + ended


def _close(turn: Turn) -> Step:
    turn, effects = words.clear(turn)
    turn = replace(turn, phase=Phase.LISTENING, protected=frozenset(), later=())
    return turn, (*effects, ev.Silence())
