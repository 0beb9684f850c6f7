"""A contract for each private name of aiortc and aioice we touch: an update that moves one fails here, in no call."""

import asyncio
from importlib.metadata import version

import aioice.ice
import aioice.stun
import aiortc.codecs
import aiortc.codecs.vpx
import aiortc.rtcicetransport
from aiortc.jitterbuffer import JitterBuffer

from media import rtc_patches
from media.peer import Leg
from tests.media.browser import Browser, Tone, joined

rtc_patches.install()


def test_the_versions_are_the_ones_we_know() -> None:
    assert (version("aiortc"), version("aioice")) == ("1.16.0", "0.13.0")


async def test_stun_is_repeated_soon_and_video_may_be_slow() -> None:
    assert aioice.stun.RETRY_RTO == rtc_patches.RETRY_RTO_S
    transaction = aioice.stun.Transaction(
        aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST), ("192.0.2.1", 1), _Silent()
    )
    assert transaction._Transaction__timeout_delay == rtc_patches.RETRY_RTO_S
    assert aiortc.codecs.vpx.MIN_BITRATE == rtc_patches.VIDEO_MIN_BITRATE


class _Silent:
    def send_stun(self, *args: object) -> None:
        pass


def test_installing_twice_is_installing_once() -> None:
    rtc_patches.install()
    events = [c for c in aiortc.codecs.CODECS["audio"] if c.name == "telephone-event"]
    assert len(events) == 1


async def test_no_foreign_server_is_ever_asked() -> None:
    leg = Leg()
    browser = Browser()
    await leg.answer(await browser.offer())
    connection = next(iter(rtc_patches._ice_transports(leg._pc)))._connection
    assert isinstance(connection, rtc_patches.IceConnection)
    assert connection.stun_server is None
    assert connection.turn_server is None
    await leg.close()
    await browser.pc.close()


async def test_ports_come_from_the_range_and_run_out_honestly() -> None:
    rtc_patches.use_ports(range(47_100, 47_104))
    try:
        connection = rtc_patches.IceConnection(ice_controlling=False)
        await connection.gather_candidates()
        ports = [candidate.port for candidate in connection.local_candidates]
        assert ports
        assert all(port in range(47_100, 47_104) for port in ports)
        await connection.close()
    finally:
        rtc_patches.use_ports(None)


async def test_a_sign_of_life_is_noted() -> None:
    async with joined(Browser()) as leg:
        assert 0 < rtc_patches.heard_at(leg._pc) <= asyncio.get_running_loop().time()
        assert leg.silent_for() < 1.0


async def test_taps_keep_decoders_out_of_it() -> None:
    async with joined(Browser(audio=Tone(500))) as leg:
        frames: list[bool] = []
        leg.video_taps.add(lambda _data, _at, key: frames.append(key))
        async with asyncio.timeout(30):
            async for _ in leg.ear:
                if leg.ear.count.arrived > 25 and True in frames:
                    break
        for transceiver in leg._pc.getTransceivers():
            thread = rtc_patches._hidden(transceiver.receiver, "decoder_thread")
            assert not thread.is_alive()
        assert isinstance(rtc_patches._hidden(leg._receivers["video"], "jitter_buffer"), JitterBuffer)


async def test_a_key_frame_can_be_asked_for_and_a_bitrate_capped() -> None:
    async with joined(Browser()) as leg:
        keys: list[int] = []
        leg.video_taps.add(lambda _data, at, key: keys.append(at) if key else None)
        async with asyncio.timeout(30):
            while not keys:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            seen = len(keys)
            leg.ask_keyframe()
            while len(keys) == seen:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        leg.cap_bitrate(100_000)
        estimator = rtc_patches._hidden(leg._receivers["video"], "remote_bitrate_estimator")
        estimator._estimator = _Generous()
        assert estimator.add(payload_size=1) == (100_000, [7])
        leg.cap_bitrate(0)
        assert estimator.add(payload_size=1) == (5_000_000, [7])


class _Generous:
    def add(self, **packet: object) -> tuple[int, list[int]]:
        return 5_000_000, [7]


def test_the_ice_transport_is_ours() -> None:
    assert aiortc.rtcicetransport.Connection is rtc_patches.IceConnection
