"""The harness's own hands: it kills where it says, and a gateway that dies by itself does not go unnoticed."""

import asyncio
import os
import signal
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest

from tests.faults.gateway_main import MOMENTS
from tests.faults.mix import free_port
from tests.faults.process import GatewayProcess
from tests.faults.toxics import frames
from tests.faults.world import customer, history


@pytest.mark.slow
async def test_a_message_killed_at_any_moment_of_its_commit_is_stored_once_after_the_retry(tmp_path: Path) -> None:
    process = GatewayProcess(tmp_path, free_port())
    try:
        await process.start()
        async with aiohttp.ClientSession() as http:
            session = await customer(http, process.url, "faults-moment", "store-xuhui")
            events = f"{process.url}/api/v1/conversations/{session['conversation']}/events"
            headers = {"Authorization": f"Bearer {session['token']}"}
            for moment in MOMENTS:
                body = {"type": "message.send", "nonce": uuid4().hex, "body": {"kind": "text", "text": moment}}
                killing = asyncio.create_task(process.kill_at(moment))
                await asyncio.sleep(0.1)
                with pytest.raises((aiohttp.ClientError, OSError)):  # no ack
                    await http.post(events, json=body, headers=headers)
                assert await killing, f"nothing was being written {moment}"
                await process.start()
                kept = [
                    seen.text for seen in await history(http, process.url, session["token"], session["conversation"])
                ]
                assert kept.count(moment) == {"before commit": 0, "after commit": 1}.get(moment, kept.count(moment))
                async with http.post(events, json=body, headers=headers) as again:
                    assert again.status < 300, await again.text()
            log = await history(http, process.url, session["token"], session["conversation"])
            assert [seen.seq for seen in log] == list(range(1, len(log) + 1))
            assert [seen.text for seen in log if seen.text in MOMENTS] == list(MOMENTS)
        assert process.deaths == []
    finally:
        await process.stop()


@pytest.mark.slow
async def test_a_gateway_that_dies_by_itself_is_noticed_and_named(tmp_path: Path) -> None:
    process = GatewayProcess(tmp_path, free_port())
    try:
        await process.start()
        os.kill(process._pid, signal.SIGSEGV)
        async with asyncio.timeout(10):
            while not process.deaths:  # noqa: ASYNC110 - a look now and then is all it takes
                await asyncio.sleep(0.05)
        assert not process.alive
        assert "SIGSEGV" in process.deaths[0]
    finally:
        await process.stop()


def test_only_whole_text_frames_are_doubled_or_swapped() -> None:
    short, long = b"\x81\x02hi", b"\x81\x7e\x00\x80" + b"x" * 128
    masked = b"\x81\x82\x00\x00\x00\x00hi"
    assert frames(short + long + masked) == [short, long, masked]
    assert frames(short + long[:-1]) == []  # the rest is still under way
    assert frames(b"\x89\x00") == []  # a ping
    assert frames(b"HTTP/1.1 101 Switching Protocols\r\n\r\n") == []
