"""A call whose answer takes long enough to be interrupted."""

from tests import virtual_time
from tests.fakes.call import ScriptedCall

LONG = "这款奶粉适合六个月以上的宝宝，冲调的水温是四十到五十度。开封以后请在一个月之内喝完，放在阴凉干燥的地方。"


QUESTION = "这个奶粉怎么冲？"


def call_with_long_answer(seconds: float = 20.0) -> ScriptedCall:
    call = ScriptedCall(seconds)
    call.responder.replies[QUESTION] = (LONG,)
    call.ear.says(1.0, 2.0, QUESTION)
    return call


def play(call: ScriptedCall) -> ScriptedCall:
    return virtual_time.run(call.run())
