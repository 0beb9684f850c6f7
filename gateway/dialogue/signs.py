"""One sign must not hide another: every sign in a customer's words that people have to hear of. PURE."""

from dataclasses import dataclass, replace

from gateway.dialogue.ports import Context, Dialogue, RedFlag


@dataclass(frozen=True, slots=True)
class Shown:
    flag: RedFlag
    anew: bool
    """It stands, and these words by themselves show it again."""


def signs(dialogue: Dialogue, text: str, context: Context) -> tuple[Shown, ...]:
    """The gravest in all she said; the gravest since the last flag; and of each, beside a baby's sign a mother's (or
    the other way round): they need different help. What stands is left out, unless it is shown anew. The gravest in
    all she said comes first."""
    later = replace(context, history=tuple(said for said in context.history if not said.flagged))
    alone = replace(context, history=())
    shown: dict[str, Shown] = {}
    for talk in (context, later) if later != context else (context,):
        for flag in _of_both(dialogue, text, talk):
            if flag.sign not in context.standing:
                shown.setdefault(flag.sign, Shown(flag, False))
    for flag in _of_both(dialogue, text, alone) if context.standing else ():
        if flag.sign in context.standing:
            shown[flag.sign] = Shown(flag, True)
    return tuple(shown.values())


def _of_both(dialogue: Dialogue, text: str, context: Context) -> list[RedFlag]:
    first = dialogue.red_flag(text, context)
    if first is None:
        return []
    other = dialogue.red_flag(text, replace(context, past=first.sign[0]))
    return [first] if other is None else [first, other]
