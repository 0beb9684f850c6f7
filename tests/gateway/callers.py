"""A customer or advisor on the line: the gateway's real wire, a real aiortc peer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiortc import MediaStreamTrack

from tests.gateway.served import Client, Served
from tests.media.browser import Browser, Tone


@dataclass
class OnLine:
    client: Client
    browser: Browser
    conversation: str
    call: str = ""
    peers: list[Browser] = field(default_factory=list)

    async def standby(self, peer: str = "p1") -> None:
        await self.client.say("peer.offer", peer=peer, sdp=await self.browser.offer())
        answered = await self.client.until("peer.answered", peer=peer)
        await self.browser.accept(answered["sdp"])
        await self.browser.connected()

    async def start(self, peer: str = "p1", media: str = "voice") -> dict[str, str]:
        answer = await self.client.ask("call.start", conversation=self.conversation, media=media, peer=peer)
        self.call = answer.get("call", "")
        return answer

    async def state(self, state: str) -> dict[str, str]:
        """Waits for this state of the call."""
        while True:
            changed = await self.client.until("call.changed")
            if changed["call"]["state"] == state:
                return changed["call"]


@asynccontextmanager
async def on_line(
    house: Served, person: str, hz: float = 600, conversation: str = "", audio: MediaStreamTrack | None = None
) -> AsyncIterator[OnLine]:
    browser = Browser(audio=audio or Tone(hz))
    thread = conversation or await house.conversation(person)  # before hello: she follows it from the start
    try:
        async with house.connect(person) as client:
            yield OnLine(client, browser, thread)
    finally:
        await browser.pc.close()
