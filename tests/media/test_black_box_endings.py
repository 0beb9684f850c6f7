"""Case 14 of the sixteen: a call that ends at any moment leaves nothing, and loses nothing she said."""

import asyncio

import pytest

from tests import virtual_time
from tests.fakes.call import MarkRecognizer, ScriptedCall
from tests.media.long_answer import call_with_long_answer, play


def test_14_hanging_up_before_anything_was_said_leaves_no_task() -> None:
    async def main() -> None:
        call = ScriptedCall(20.0, greet=True)
        call.at(0.03, lambda _: call.ear.hang_up())
        await call.run()
        assert len(asyncio.all_tasks()) == 1

    virtual_time.run(main())


@pytest.mark.parametrize("at", [1.5, 2.1, 5.0])
def test_14a_hanging_up_while_somebody_speaks_or_thinks_leaves_no_task(at: float) -> None:
    async def main() -> None:
        call = call_with_long_answer()
        call.at(at, lambda _: call.ear.hang_up())
        async with asyncio.timeout(at + 4):
            await call.run()
        assert len(asyncio.all_tasks()) == 1

    virtual_time.run(main())


def test_14c_what_she_says_while_she_hangs_up_is_kept_and_not_answered() -> None:
    call = ScriptedCall(2.0)
    call.recognizer = MarkRecognizer(call.ear, delay=1.0)
    call.ear.says(1.0, 2.0, "好的谢谢再见")
    play(call)
    assert call.said("customer") == ["好的谢谢再见"]
    assert not call.responder.asked
    assert not any(call.sound)


def test_14d_what_she_says_over_the_assistant_while_she_hangs_up_is_kept() -> None:
    call = call_with_long_answer(5.2)
    call.ear.says(5.0, 5.2, "再见")
    play(call)
    assert call.said("customer")[1:] == ["再见"]


def test_14e_a_recognizer_that_hangs_does_not_hold_the_end_of_the_call() -> None:
    async def main() -> None:
        call = ScriptedCall(2.0)
        call.recognizer = MarkRecognizer(call.ear, delay=100.0)
        call.ear.says(1.0, 2.0, "好的谢谢再见")
        async with asyncio.timeout(6):
            await call.run()
        assert len(asyncio.all_tasks()) == 1

    virtual_time.run(main())


def test_14b_cancelled_in_the_middle_leaves_no_task() -> None:
    async def main() -> None:
        call = call_with_long_answer()
        running = asyncio.create_task(call.run())
        await asyncio.sleep(2.5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert len(asyncio.all_tasks()) == 1

    virtual_time.run(main())
