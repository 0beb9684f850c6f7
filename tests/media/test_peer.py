"""A leg against a real aiortc peer in the same process: real ICE, DTLS and RTP."""

import asyncio
import threading

import numpy as np
import pytest

from media.audio import EAR_HZ
from media.bridge import Bridge
from media.errors import BadOffer, LegLost
from media.peer import Leg
from tests.media.browser import Browser, Tone, joined


def _sine(hz: float):
    state = {"n": 0}

    def pull() -> np.ndarray:
        state["n"] += 960
        return (np.sin((state["n"] + np.arange(960)) * 2 * np.pi * hz / 48_000) * 9_000).astype(np.int16)

    return pull


async def _ear_hz(leg: Leg, chunks: int = 40) -> float:
    samples = []
    async for chunk in leg.ear:
        assert chunk.rate_hz == EAR_HZ
        assert len(chunk.samples) == 320
        samples.append(chunk.samples)
        if len(samples) == chunks:
            break
    pcm = np.concatenate(samples[10:]).astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))) * EAR_HZ / len(pcm))


async def test_both_hear_each_other() -> None:
    browser = Browser(audio=Tone(700))
    async with joined(browser) as leg:
        leg.speak(_sine(500))
        assert abs(await browser.heard_hz() - 500) < 10
        assert abs(await _ear_hz(leg) - 700) < 10
        assert leg.silent_for() < 1


async def test_the_answer_takes_the_client_role_and_asks_for_fec() -> None:
    browser, leg = Browser(), Leg()
    answer = await leg.answer(await browser.offer())
    assert "a=setup:active" in answer
    assert "useinbandfec=1" in answer
    assert answer.count("a=candidate") >= 1
    await leg.close()
    await browser.pc.close()


async def test_a_standby_sends_no_media_until_it_speaks() -> None:
    browser = Browser()
    async with joined(browser) as leg:
        await asyncio.sleep(0.2)
        assert leg.audio.sent == leg.video.sent == 0
        leg.speak(_sine(500))
        assert await browser.heard_hz() > 0


async def test_a_bridge_forwards_what_was_encoded_and_gives_it_back() -> None:
    mother, advisor = Browser(audio=Tone(600)), Browser(audio=Tone(900))
    async with joined(mother) as left, joined(advisor) as right:
        left.speak(_sine(300))
        assert abs(await mother.heard_hz() - 300) < 10
        bridge = Bridge(left, right)
        left.hush()
        assert abs(await mother.heard_hz() - 900) < 10
        assert abs(await advisor.heard_hz() - 600) < 10
        async with asyncio.timeout(5):
            picture = await mother.tracks["video"].recv()
        assert picture.width > 0
        assert abs(await _ear_hz(left) - 600) < 10  # captions go on
        bridge.close()
        left.speak(_sine(300))
        assert abs(await mother.heard_hz() - 300) < 10


@pytest.mark.parametrize("offer", ["", "v=0\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "\x00" * 50])
async def test_a_bad_offer_is_one_error_and_leaves_nothing(offer: str) -> None:
    before = len(asyncio.all_tasks())
    leg = Leg()
    with pytest.raises(BadOffer):
        await leg.answer(offer)
    assert leg.state == "closed"
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before


async def test_hanging_up_leaves_no_task_and_no_thread() -> None:
    tasks, threads = len(asyncio.all_tasks()), threading.active_count()
    browser = Browser()
    async with joined(browser) as leg:
        leg.speak(_sine(500))
        await browser.heard_hz()
    await asyncio.sleep(0.1)
    assert len(asyncio.all_tasks()) == tasks
    assert threading.active_count() <= threads + 8  # aiortc's encoders use the default executor, kept by the loop


async def test_a_closed_leg_speaks_no_more() -> None:
    """Nobody would stop it: `close` has been."""
    pulled: list[int] = []

    def pull() -> np.ndarray:
        pulled.append(1)
        return np.zeros(960, np.int16)

    async with joined(Browser()) as leg:
        await leg.close()
        leg.speak(pull)
        await asyncio.sleep(0.1)
        assert not pulled


async def test_a_closed_leg_never_connects() -> None:
    leg = Leg()
    waiting = asyncio.ensure_future(leg.connected())
    await asyncio.sleep(0)
    await leg.close()
    with pytest.raises(LegLost):
        await waiting
