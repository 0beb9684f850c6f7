"""Composition: what is made of what, and which loops run while the gateway does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from gateway import telemetry
from gateway.alarms import Alarms
from gateway.assistant import Assistant
from gateway.calls.calls import Calls
from gateway.calls.desk import open_calls
from gateway.calls.tickets import Tickets, key_of
from gateway.calls.voice import warm
from gateway.chat import Chat
from gateway.dialogue import compose, second_opinion
from gateway.dialogue.embeddings import Reranker
from gateway.dialogue.ports import Dialogue
from gateway.engines import known_phrases, load_engines
from gateway.files.uploads import Uploads
from gateway.hub import Hub
from gateway.inbox import Inbox
from gateway.receipts import Receipts
from gateway.settings import Settings
from gateway.store.engine import Store
from gateway.switchboard import Switchboard
from gateway.teaching import Teaching
from gateway.verbs import Plain, chat_verbs, plain_verbs
from media.engines import Engines
from signaling.socket import Sockets

RESTART_S = 1.0

Loop = Callable[[], Awaitable[None]]
logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Gateway:
    """The use-cases, ready to be served."""

    settings: Settings
    store: Store
    hub: Hub
    chat: Chat
    inbox: Inbox
    receipts: Receipts
    alarms: Alarms
    uploads: Uploads
    dialogue: Dialogue
    reranker: Reranker | None
    assistant: Assistant
    teaching: Teaching
    switchboard: Switchboard
    sockets: Sockets
    plain: dict[type, Plain]
    calls: Calls
    tickets: Tickets
    engines: Engines
    loops: list[Loop] = field(default_factory=list)


def assemble(settings: Settings, store: Store, engines: Engines) -> Gateway:
    hub = Hub()
    chat = Chat(store, hub)
    inbox = Inbox(store, hub)
    receipts = Receipts(store, chat)
    alarms = Alarms(store, chat, hub)
    uploads = Uploads(store, settings, lambda: engines.recognizer)
    reranker = second_opinion(settings)
    dialogue = compose(store, settings, reranker)
    assistant = Assistant(store, chat, hub, alarms, dialogue)
    teaching = Teaching(store, hub)
    switchboard = Switchboard(store, hub, chat_verbs(chat, inbox, receipts, alarms))
    switchboard.welcomed.append(alarms.greet)
    sockets = Sockets(switchboard)
    telemetry.CONNECTIONS.set_function(lambda: len(sockets))
    hub.taps.append(lambda event: telemetry.EVENTS.labels(str(event.kind)).inc())
    calls = open_calls(settings, store, chat, hub, alarms, dialogue, switchboard, engines)
    assistant.in_call = calls.rooms.took
    telemetry.CALLS.set_function(lambda: len(calls.rooms.live))
    telemetry.LOOP_LATE.set_function(lambda: calls.load.lag)
    return Gateway(
        settings=settings,
        store=store,
        hub=hub,
        chat=chat,
        inbox=inbox,
        receipts=receipts,
        alarms=alarms,
        uploads=uploads,
        dialogue=dialogue,
        reranker=reranker,
        assistant=assistant,
        teaching=teaching,
        switchboard=switchboard,
        sockets=sockets,
        plain=dict(plain_verbs(chat, receipts, alarms)),
        calls=calls,
        tickets=Tickets(key_of(settings.data_dir)),
        engines=engines,
        loops=[calls.run, sockets.run, inbox.run, receipts.run, alarms.run, assistant.run, teaching.run, uploads.run],
    )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Gateway]:
    """Opens the store (raises `SettingsBroken`), runs the loops, closes in reverse."""
    store = await Store.open(settings)
    try:
        engines = await asyncio.to_thread(load_engines, settings, await known_phrases(store, settings))
        gateway = assemble(settings, store, engines)
        here = asyncio.get_running_loop()
        telemetry.TASKS.set_function(lambda: len(asyncio.all_tasks(here)))
        async with asyncio.TaskGroup() as tasks:
            started = [tasks.create_task(kept_up(loop), name=loop.__qualname__) for loop in gateway.loops]
            started.append(tasks.create_task(kept_up(lambda: warm(engines, store)), name="warm the voice"))
            try:
                yield gateway
            finally:
                gateway.sockets.drain()
                for task in started:
                    task.cancel()
        await gateway.receipts.flush()
        await engines.close()
    finally:
        await store.close()


async def kept_up(loop: Loop) -> None:
    """One fault must not silence alarms or heartbeats for good."""
    while True:
        try:
            await loop()
            return
        except Exception:
            logger.exception("loop failed; started again", loop=getattr(loop, "__qualname__", str(loop)))
            await asyncio.sleep(RESTART_S)
