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
        ^ Restore            │                │
        └────── quiet ───────┘                └── quiet again, or only "嗯": resume at the exact sample

HUSHED is silence already, but one that loses nothing: that is why it may come after a tenth of a second, long before we
know. A reply is known by (turn, revision), asked for once, cut at most once, and heard only after `Commit`; a turn is
`Settle`d when it can no longer be reopened. Protected speech (the notice, a red flag) is outside of all this: it plays,
and she is heard meanwhile. `advance` is total: events that come too late change nothing.
"""

from dataclasses import replace
from typing import assert_never

from media import turn_events as ev
from media.backchannel import is_backchannel, is_substantial
from media.endpointing import completeness, delay
from media.turn_events import Effect, Event
from media.turn_state import Phase, Reply, Stage, Tuning, Turn, Utterance, same_words
from media.voicing import Voicing

Step = tuple[Turn, tuple[Effect, ...]]
DEFAULT = Tuning()


def advance(turn: Turn, event: Event, tuning: Tuning = DEFAULT) -> Step:
    turn = replace(turn, at=event.at)
    match event:
        case ev.Frame():
            return _frame(turn, event, tuning)
        case ev.Partial():
            return _partial(turn, event, tuning)
        case ev.Final():
            return _final(turn, event, tuning)
        case ev.Typed():
            return _typed(turn, event)
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
            return replace(turn, handed_over=False, muted=False, quiet_since=event.at), ()
        case ev.HangUp():
            return _hang_up(turn)
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
            return _going_on(turn, gap, tuning) if turn.voicing.now else _pausing(turn, tuning)
        case Phase.THINKING | Phase.ASSISTANT_SPEAKING:
            return _doubting(turn, tuning)
        case _:
            assert_never(turn.phase)


def _listening(turn: Turn, tuning: Tuning) -> Step:
    if turn.voicing.voiced >= tuning.start:
        return _begin(turn)
    turn = replace(turn, voicing=turn.voicing.settled(tuning.forget))
    if turn.quiet and not turn.handed_over and turn.at - turn.quiet_since >= tuning.idle:
        times = turn.idles + 1
        return replace(turn, quiet_since=turn.at, idles=times), (ev.Idle(tuning.idle, times),)
    return turn, ()


def _begin(turn: Turn) -> Step:
    first = Utterance(turn.last_utterance + 1)
    turn = replace(_new_turn(turn, first), phase=Phase.CUSTOMER_SPEAKING, last_utterance=first.id)
    return turn, (ev.Listen(first.id),)


def _new_turn(turn: Turn, first: Utterance) -> Turn:
    number = turn.last_turn + 1
    return replace(
        turn,
        turn=number,
        last_turn=number,
        revision=-1,
        utterances=(first,),
        muted=False,
        settled=False,
        guesses=0,
        idles=0,
        reply=None,
    )


def _going_on(turn: Turn, gap: float, tuning: Tuning) -> Step:
    last = turn.utterances[-1]
    if turn.at - turn.voicing.began >= tuning.longest:
        return _next_utterance(turn, last)
    if not last.guessed:
        return turn, ()
    turn = turn.with_utterance(replace(last, guessed=False, answered=False))
    return _without_reply(replace(turn, habits=turn.habits.paused(gap)))


def _next_utterance(turn: Turn, last: Utterance) -> Step:
    """She speaks for longer than a recognizer takes in one piece."""
    turn = turn.with_utterance(replace(last, ending=True))
    following = Utterance(turn.last_utterance + 1)
    turn = replace(
        turn,
        utterances=(*turn.utterances, following),
        last_utterance=following.id,
        voicing=replace(turn.voicing, began=turn.at),
    )
    return turn, (ev.Finalize(last.id, turn.at), ev.Listen(following.id))


def _pausing(turn: Turn, tuning: Tuning) -> Step:
    last = turn.utterances[-1]
    if turn.voicing.gap >= _wait(turn, last):
        return _end(turn, last)
    if turn.voicing.gap >= tuning.guess and not last.guessed:
        return turn.with_utterance(replace(last, guessed=True)), (ev.Guess(last.id),)
    return turn, ()


def _wait(turn: Turn, last: Utterance) -> float:
    return delay(turn.text, turn.habits, words_coming=last.guessed and not last.answered)


def _end(turn: Turn, last: Utterance) -> Step:
    turn = turn.with_utterance(replace(last, ending=True))
    ended = turn.voicing.ended
    turn = replace(turn, phase=Phase.THINKING, stage=Stage.NONE, ended=ended, voicing=Voicing(ended=ended))
    return turn, (ev.Finalize(last.id, ended),)


# ---------------------------------------------------------------- her words


def _partial(turn: Turn, partial: ev.Partial, tuning: Tuning) -> Step:
    if turn.doubt and turn.doubt.id == partial.utterance:
        doubt = replace(turn.doubt, text=partial.text or turn.doubt.text, answered=True)
        return _decide(replace(turn, doubt=doubt), tuning)
    known = turn.utterance(partial.utterance)
    if known is None or known.final:
        return turn, ()
    text = turn.text
    turn = turn.with_utterance(replace(known, text=partial.text or known.text, answered=True))
    shown = (ev.Caption(turn.turn, turn.text, final=False),) if turn.text != text else ()
    turn, effects = _speculate(turn, tuning)
    return turn, shown + effects


def _speculate(turn: Turn, tuning: Tuning) -> Step:
    """She pauses, and what she has said may be all: start on the answer, behind the gate."""
    pausing = turn.phase is Phase.CUSTOMER_SPEAKING and turn.utterances[-1].guessed
    allowed = not turn.muted and not turn.handed_over and turn.guesses < tuning.guesses
    if not pausing or not allowed or turn.reply or not turn.text or completeness(turn.text) < 0.5:
        return turn, ()
    return _ask(replace(turn, guesses=turn.guesses + 1), speculative=True)


def _ask(turn: Turn, *, speculative: bool, source: ev.Source = "speech") -> Step:
    revision = turn.revision + 1
    reply = Reply(turn.turn, revision, turn.text, speculative)
    confirm = any(u.confirm for u in turn.utterances)
    asked = ev.AskReply(turn.turn, revision, turn.text, speculative, source, confirm)
    gate = () if speculative else (ev.Commit(turn.turn, revision),)
    return replace(turn, revision=revision, reply=reply), (asked, *gate)


def _final(turn: Turn, final: ev.Final, tuning: Tuning) -> Step:
    if turn.doubt and turn.doubt.id == final.utterance:
        doubt = replace(turn.doubt, text=final.text, ending=True, final=True, confirm=final.confirm)
        return _decide(replace(turn, doubt=doubt), tuning)
    known = turn.utterance(final.utterance)
    if known is None or known.final:
        return turn, ()
    turn = turn.with_utterance(replace(known, text=final.text, ending=True, final=True, confirm=final.confirm))
    shown = (ev.Caption(turn.turn, turn.text, final=turn.overheard),) if turn.text else ()
    turn, effects = _answer(turn, tuning) if turn.phase is Phase.THINKING and turn.overheard else (turn, ())
    return turn, shown + effects


def _answer(turn: Turn, tuning: Tuning) -> Step:
    if not turn.text or turn.muted or turn.handed_over:
        return _no_reply(turn, tuning)
    if turn.reply and turn.reply.speculative and same_words(turn.reply.text, turn.text):
        reply = replace(turn.reply, speculative=False)
        return replace(turn, reply=reply), (ev.Commit(reply.turn, reply.revision),)
    turn, dropped = _without_reply(turn)
    turn, asked = _ask(turn, speculative=False)
    return turn, dropped + asked


def _no_reply(turn: Turn, tuning: Tuning) -> Step:
    turn, dropped = _without_reply(turn)
    if turn.stage is Stage.HUSHED:
        turn, effects = _confirm(turn, tuning)
        return turn, dropped + effects
    turn, settled = _settle(turn)
    turn, rest = _rest(turn, tuning)
    return turn, dropped + settled + rest


def _typed(turn: Turn, typed: ev.Typed) -> Step:
    """Typing is the clearest wish to speak there is: it needs no doubt."""
    turn, effects = _clear(turn)
    entry = Utterance(turn.last_utterance + 1, typed.text, ending=True, final=True)
    turn = replace(_new_turn(turn, entry), last_utterance=entry.id, ended=turn.at, voicing=Voicing())
    if turn.handed_over:
        turn, more = _settle(replace(turn, phase=Phase.LISTENING))
    else:
        turn, asked = _ask(replace(turn, phase=Phase.THINKING), speculative=False, source=typed.source)
        turn, settled = _settle(turn)
        more = asked + settled
    return turn, effects + more


def _clear(turn: Turn) -> Step:
    """Nobody is speaking and nothing is on its way: her open utterances, her doubt and the reply are gone."""
    open_ = [u for u in (*turn.utterances, *filter(None, (turn.doubt,))) if not u.ending]
    turn, cut = _without_reply(turn)
    turn, settled = _settle(turn)
    forget = tuple(ev.Forget(u.id) for u in open_)
    steady = (ev.Restore(), ev.Resume()) if turn.stage is not Stage.NONE else ()
    return replace(turn, stage=Stage.NONE, doubt=None), cut + settled + forget + steady


def _hang_up(turn: Turn) -> Step:
    turn, effects = _clear(turn)
    turn = replace(turn, phase=Phase.LISTENING, protected=frozenset(), later=())
    return turn, (*effects, ev.Silence())


# ---------------------------------------------------------------- her voice over ours: the doubt


def _doubting(turn: Turn, tuning: Tuning) -> Step:
    turn, effects = _settle(turn) if _past_grace(turn, tuning) else (turn, ())
    turn, more = _next_stage(turn, tuning)
    return turn, effects + more


def _past_grace(turn: Turn, tuning: Tuning) -> bool:
    speaking = turn.phase is Phase.ASSISTANT_SPEAKING and turn.stage is Stage.NONE
    return speaking and turn.at - turn.ended > tuning.grace


def _next_stage(turn: Turn, tuning: Tuning) -> Step:
    voice = turn.voicing
    match turn.stage:
        case Stage.NONE if voice.voiced >= tuning.sign:
            return replace(turn, stage=Stage.DUCKED), _unless_protected(turn, ev.Duck())
        case Stage.NONE:
            return replace(turn, voicing=voice.settled(tuning.forget)), ()
        case Stage.DUCKED if voice.gap > tuning.forget:
            return replace(turn, stage=Stage.NONE, voicing=voice.settled(tuning.forget)), (ev.Restore(),)
        case Stage.DUCKED if voice.voiced >= _hush_after(turn, tuning):
            return _hush(turn)
        case Stage.DUCKED:
            return turn, ()
        case Stage.HUSHED:
            return _decide(turn, tuning)
        case _:
            assert_never(turn.stage)


def _hush_after(turn: Turn, tuning: Tuning) -> float:
    return tuning.hush if turn.phase is Phase.ASSISTANT_SPEAKING else tuning.hush_thinking


def _unless_protected(turn: Turn, effect: Effect) -> tuple[Effect, ...]:
    return () if turn.protected else (effect,)


def _hush(turn: Turn) -> Step:
    doubt = Utterance(turn.last_utterance + 1)
    hushed = replace(turn, stage=Stage.HUSHED, doubt=doubt, last_utterance=doubt.id, hushed_at=turn.at)
    return hushed, (*_unless_protected(turn, ev.Pause()), ev.Listen(doubt.id))


def _decide(turn: Turn, tuning: Tuning) -> Step:
    doubt, voice = turn.doubt, turn.voicing
    if doubt is None:
        return turn, ()
    if _is_interruption(doubt, voice, tuning):
        return _confirm(turn, tuning)
    if voice.gap >= tuning.release:
        return _quiet_again(turn, doubt, tuning)
    if not doubt.guessed and voice.voiced >= tuning.ask_words:
        return replace(turn, doubt=replace(doubt, guessed=True)), (ev.Guess(doubt.id),)
    return turn, ()


def _is_interruption(doubt: Utterance, voice: Voicing, tuning: Tuning) -> bool:
    if is_substantial(doubt.text):
        return voice.voiced >= tuning.least
    if is_backchannel(doubt.text):
        return voice.voiced >= tuning.confirm_backchannel
    words_coming = doubt.guessed and not doubt.answered
    return voice.voiced >= (tuning.confirm_unheard if words_coming else tuning.confirm)


def _quiet_again(turn: Turn, doubt: Utterance, tuning: Tuning) -> Step:
    voice = turn.voicing
    hopeless = voice.voiced < tuning.least or voice.gap >= tuning.release + tuning.patience
    if doubt.final or hopeless:
        return _let_go(turn, doubt)
    if doubt.ending:
        return turn, ()
    return replace(turn, doubt=replace(doubt, ending=True)), (ev.Finalize(doubt.id, voice.ended),)


def _let_go(turn: Turn, doubt: Utterance) -> Step:
    """It was nothing: go on from the exact sample."""
    effects: tuple[Effect, ...] = (ev.Resume(), ev.Restore(), ev.Forget(doubt.id))
    if turn.phase is Phase.ASSISTANT_SPEAKING:
        effects += (ev.BargedIn(_said(turn), turn.voicing.began, turn.hushed_at, false=True),)
    return replace(turn, stage=Stage.NONE, doubt=None, voicing=Voicing()), effects


def _said(turn: Turn) -> int:
    return turn.reply.turn if turn.reply else turn.turn


def _confirm(turn: Turn, tuning: Tuning) -> Step:
    """She has the floor: the same turn goes on if its reply was hardly heard, else a new one begins."""
    doubt, voice = turn.doubt, turn.voicing
    assert doubt is not None
    effects: tuple[Effect, ...] = ()
    if turn.phase is Phase.ASSISTANT_SPEAKING:
        effects = (ev.BargedIn(_said(turn), voice.began, turn.hushed_at, false=False),)
    announced = turn.reply is not None and turn.reply.announced
    reopens = not turn.settled and not announced and voice.began - turn.ended <= _grace(turn, tuning)
    turn, cut = _without_reply(turn)
    turn, settled = (turn, ()) if reopens else _settle(turn)
    doubt = replace(doubt, guessed=False, answered=False)
    turn = _reopened(turn, doubt) if reopens else _new_turn(turn, doubt)
    turn, effects = replace(turn, stage=Stage.NONE, doubt=None), effects + cut + settled + (ev.Restore(), ev.Resume())
    turn, more = _after_confirm(turn, doubt, tuning)
    return turn, effects + more


def _grace(turn: Turn, tuning: Tuning) -> float:
    return tuning.grace if turn.phase is Phase.ASSISTANT_SPEAKING else float("inf")


def _reopened(turn: Turn, doubt: Utterance) -> Turn:
    habits = turn.habits.paused(turn.voicing.began - turn.ended)
    return replace(turn, utterances=(*turn.utterances, doubt), habits=habits)


def _after_confirm(turn: Turn, doubt: Utterance, tuning: Tuning) -> Step:
    shown = (ev.Caption(turn.turn, turn.text, final=turn.overheard),) if turn.text else ()
    if not doubt.ending:
        return replace(turn, phase=Phase.CUSTOMER_SPEAKING), shown
    ended = turn.voicing.ended
    turn = replace(turn, phase=Phase.THINKING, ended=ended, voicing=Voicing(ended=ended))
    turn, effects = _answer(turn, tuning) if turn.overheard else (turn, ())
    return turn, shown + effects


# ---------------------------------------------------------------- our voice


def _say(turn: Turn, say: ev.Say, tuning: Tuning) -> Step:
    if say.protected:
        return _say_protected(turn, say, tuning)
    if turn.handed_over:
        return turn, ()
    if turn.phase is not Phase.LISTENING:
        return replace(turn, later=(*turn.later, say)[-tuning.later :]), ()
    number = turn.last_turn + 1
    reply = Reply(number, 0, say.text, announced=True)
    turn = replace(turn, phase=Phase.THINKING, reply=reply, last_turn=number)
    return turn, (ev.Speak(number, say.text, protected=False),)


def _say_protected(turn: Turn, say: ev.Say, tuning: Tuning) -> Step:
    turn, effects = _confirm(turn, tuning) if turn.stage is Stage.HUSHED else (turn, ())
    number = turn.last_turn + 1
    turn = replace(turn, protected=turn.protected | {number}, last_turn=number)
    return turn, (*effects, ev.Restore(), ev.Speak(number, say.text, protected=True))


def _audible(turn: Turn, audible: ev.Audible) -> Step:
    if not _is_current(turn, audible):
        return turn, ()
    assert turn.reply is not None
    return replace(turn, phase=Phase.ASSISTANT_SPEAKING, reply=replace(turn.reply, audible=True)), ()


def _is_current(turn: Turn, told: ev.Audible | ev.Over) -> bool:
    reply = turn.reply
    return reply is not None and not reply.speculative and (reply.turn, reply.revision) == (told.turn, told.revision)


def _over(turn: Turn, over: ev.Over, tuning: Tuning) -> Step:
    if over.turn in turn.protected:
        turn = replace(turn, protected=turn.protected - {over.turn}, quiet_since=over.at)
        return turn, _unless_protected(turn, ev.Pause()) if turn.stage is Stage.HUSHED else ()
    if not _is_current(turn, over):
        return turn, ()
    turn, settled = _settle(turn) if turn.reply and not turn.reply.announced else (turn, ())
    turn = replace(turn, reply=None)
    turn, more = _confirm(turn, tuning) if turn.stage is Stage.HUSHED else _rest(turn, tuning)
    return turn, settled + more


def _rest(turn: Turn, tuning: Tuning) -> Step:
    """Nobody speaks. What waited to be said is said now."""
    steady = (ev.Restore(),) if turn.stage is not Stage.NONE else ()
    turn = replace(turn, phase=Phase.LISTENING, stage=Stage.NONE, reply=None, quiet_since=turn.at)
    if not turn.later:
        return turn, steady
    turn, spoken = _say(replace(turn, later=turn.later[1:]), turn.later[0], tuning)
    return turn, steady + spoken


def _without_reply(turn: Turn) -> Step:
    reply = turn.reply
    if reply is None:
        return turn, ()
    gone = ev.Drop if reply.speculative else ev.Cut
    return replace(turn, reply=None), (gone(reply.turn, reply.revision),)


def _settle(turn: Turn) -> Step:
    if turn.settled:
        return turn, ()
    return replace(turn, settled=True), (ev.Settle(turn.turn, turn.revision, turn.text),)


def _interrupt(turn: Turn, tuning: Tuning) -> Step:
    turn = replace(turn, muted=True, later=(), protected=frozenset())
    turn, effects = _confirm(turn, tuning) if turn.stage is Stage.HUSHED else (turn, ())
    turn, cut = _without_reply(replace(turn, muted=True))
    effects += (*cut, ev.Silence())
    if turn.phase in (Phase.LISTENING, Phase.CUSTOMER_SPEAKING) or not turn.overheard:
        return turn, effects
    turn, settled = _settle(turn)
    turn, rest = _rest(turn, tuning)
    return turn, effects + settled + rest
