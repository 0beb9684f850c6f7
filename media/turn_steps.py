"""PURE: steps that several transitions of the turn machine share."""

from dataclasses import replace

from media import turn_events as ev
from media.turn_events import Effect
from media.turn_state import Phase, Reply, Stage, Turn, Utterance
from media.voicing import Voicing

Step = tuple[Turn, tuple[Effect, ...]]


def new_turn(turn: Turn, first: Utterance, *, typed: bool = False, written: bool = False) -> Turn:
    number = turn.last_turn + 1
    return replace(
        turn,
        turn=number,
        last_turn=number,
        revision=-1,
        answered=-1,
        utterances=(first,),
        typed=typed,
        written=written,
        muted=False,
        settled=False,
        guesses=0,
        idles=0,
        reply=None,
    )


def take_floor(turn: Turn, doubt: Utterance, *, reopen: bool) -> Turn:
    """What was a doubt is her speech: more of the same turn, or a new one. Its voice goes on being counted."""
    doubt = replace(doubt, guessed=False, answered=False)
    if reopen:
        habits = turn.habits.paused(turn.voicing.began - turn.ended)
        turn = replace(turn, utterances=(*turn.utterances, doubt), habits=habits)
    else:
        turn = new_turn(turn, doubt)
    turn = replace(turn, stage=Stage.NONE, doubt=None)
    return silent(turn) if doubt.ending else replace(turn, phase=Phase.CUSTOMER_SPEAKING)


def silent(turn: Turn) -> Turn:
    """She has stopped; it is for us to think."""
    ended = turn.voicing.ended
    return replace(turn, phase=Phase.THINKING, stage=Stage.NONE, ended=ended, voicing=Voicing(ended=ended))


def ask(turn: Turn, *, speculative: bool, source: ev.Source = "speech") -> Step:
    revision = turn.revision + 1
    reply = Reply(turn.turn, revision, turn.text, speculative)
    confirm = any(u.confirm for u in turn.utterances)
    asked = ev.AskReply(turn.turn, revision, turn.text, speculative, source, confirm)
    gate = () if speculative else (ev.Commit(turn.turn, revision),)
    return replace(turn, revision=revision, reply=reply), (asked, *gate)


def announce(turn: Turn, say: ev.Say) -> Step:
    number = turn.last_turn + 1
    reply = Reply(number, 0, say.text, announced=True)
    turn = replace(turn, phase=Phase.THINKING, reply=reply, last_turn=number)
    return turn, (ev.Speak(number, say.text, protected=False),)


def without_reply(turn: Turn) -> Step:
    reply = turn.reply
    if reply is None:
        return turn, ()
    gone = ev.Drop if reply.speculative else ev.Cut
    return replace(turn, reply=None), (gone(reply.turn, reply.revision),)


def settle(turn: Turn) -> Step:
    if turn.settled:
        return turn, ()
    settled = ev.Settle(turn.turn, turn.answered, turn.text, turn.written)
    return replace(turn, settled=True), (settled,)


def steady(turn: Turn) -> tuple[Effect, ...]:
    """Undo a duck or a pause."""
    match turn.stage:
        case Stage.NONE:
            return ()
        case Stage.DUCKED | Stage.TALKED_OVER:
            return (ev.Restore(),)
        case Stage.HUSHED:
            return (ev.Restore(), ev.Resume())


def rest(turn: Turn) -> Step:
    """Nobody speaks. What waited to be said is said now."""
    effects = steady(turn)
    turn = replace(turn, phase=Phase.LISTENING, stage=Stage.NONE, doubt=None, reply=None, quiet_since=turn.at)
    if not turn.later:
        return turn, effects
    turn, spoken = announce(replace(turn, later=turn.later[1:]), turn.later[0])
    return turn, effects + spoken
