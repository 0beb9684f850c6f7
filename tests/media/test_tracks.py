"""What a leg sends, on virtual time: the pace of a voice."""

import asyncio

import numpy as np

from media.audio import Samples
from media.playout import FRAME
from media.tracks import Pacer, SentTrack
from tests import virtual_time


async def _sent_at(pull_sound_after: int, frames: int, *, track: SentTrack | None = None) -> list[int]:
    """Milliseconds after its start at which each frame came out; the first `pull_sound_after` frames are silence."""
    track = track or SentTrack("audio")
    pulled = 0

    def pull() -> Samples:
        nonlocal pulled
        pulled += 1
        return np.full(FRAME, 3000 if pulled > pull_sound_after else 0, np.int16)

    loop = asyncio.get_running_loop()
    began, pacer = loop.time(), Pacer(track, pull)
    pacer.start()
    at = []
    for _ in range(frames):
        await track.recv()
        at.append(round((loop.time() - began) * 1000))
    pacer.stop()
    return at


def test_the_first_sound_goes_with_the_two_frames_behind_it_and_the_pace_keeps_that_lead() -> None:
    assert virtual_time.run(_sent_at(0, 6)) == [5, 5, 5, 25, 45, 65]


def test_silence_before_it_is_sent_at_its_pace() -> None:
    assert virtual_time.run(_sent_at(2, 6)) == [5, 25, 45, 45, 45, 65]


def test_a_track_that_has_sent_before_has_its_lead_already() -> None:
    async def twice() -> list[int]:
        track = SentTrack("audio")
        await _sent_at(0, 3, track=track)
        return await _sent_at(0, 3, track=track)

    assert virtual_time.run(twice()) == [5, 25, 45]
