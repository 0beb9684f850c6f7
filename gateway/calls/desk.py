"""Calls hung into the gateway: engines, verbs, what `ready` says, the loop that owns them."""

from gateway.alarms import Alarms
from gateway.calls.calls import Calls
from gateway.calls.verbs import call_verbs
from gateway.calls.voice import Voices
from gateway.chat import Chat
from gateway.clock import unix
from gateway.dialogue.ports import Dialogue
from gateway.domain.people import Person
from gateway.errors import SettingsBroken
from gateway.hub import Hub
from gateway.settings import Settings
from gateway.store.engine import Store
from gateway.switchboard import Switchboard
from media import rtc_patches, still
from media.engines import Engines
from signaling.ice import ice_servers
from signaling.protocol import IceServer


def open_calls(
    settings: Settings,
    store: Store,
    chat: Chat,
    hub: Hub,
    alarms: Alarms,
    dialogue: Dialogue,
    switchboard: Switchboard,
    engines: Engines,
) -> Calls:
    """Everything the call path needs is loaded here, nothing on the path itself."""
    rtc_patches.install()
    rtc_patches.use_ports(port_range(settings.ice_ports))
    still.frame()
    calls = Calls(settings, store, chat, hub, alarms, dialogue, Voices(engines, settings))
    switchboard.verbs.update(call_verbs(calls))

    def servers(person: Person) -> tuple[IceServer, ...]:
        return ice_servers(settings.ice_servers, settings.turn_secret.get_secret_value(), person.id, unix())

    switchboard.running_calls = calls.views_of
    switchboard.opened.append(calls.tell_running)
    switchboard.ice_servers = servers
    switchboard.capabilities.update(capabilities(engines, settings))
    return calls


def capabilities(engines: Engines, settings: Settings) -> dict[str, bool | str]:
    """A call works without a recognizer: she types and taps, and the page says so."""
    return {**engines.names, "responder": settings.responder, "voice": True, "video": True}


def port_range(text: str) -> range | None:
    """`50000-50200`, both included; empty: any. Raises `SettingsBroken`."""
    if not text:
        return None
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and 1024 <= int(first) <= int(last) <= 65535):
        raise SettingsBroken(detail=f"NESTCALL_ICE_PORTS: a range like 50000-50200, not {text!r}")
    return range(int(first), int(last) + 1)
