"""`nestcall call`: a real call into a running gateway, for ears, for monitoring (`--probe`) and for numbers."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from gateway.calls.client import CallClient
    from media.audio import Samples

SENTENCES = {"zh": "你好，你们几点关门？", "en": "Hello, when do you close today?"}
GIVE_UP_S = 60.0


def register(app: typer.Typer) -> None:
    @app.command()
    def call(
        url: str = typer.Argument("http://127.0.0.1:8080", help="the gateway"),
        wav: Path | None = typer.Option(None, help="a recording to play", exists=True, dir_okay=False),
        say: str = typer.Option("", help="a sentence to speak (espeak)"),
        language: str = typer.Option("zh", help="zh or en"),
        standby: bool = typer.Option(True, help="connect before the tap, as open pages do"),
        probe: bool = typer.Option(False, help="exit 1 when a limit is broken, 2 when there was no call"),
        max_join_ms: float = typer.Option(600.0, help="tap to first sound, with --probe"),
        max_reply_ms: float = typer.Option(3000.0, help="end of speech to first sound, with --probe"),
    ) -> None:
        """Call as a guest: play or speak, print captions, replies and the latency of each step."""
        if language not in SENTENCES:
            raise typer.BadParameter("zh or en", param_hint="--language")
        try:
            numbers = asyncio.run(_call(address(url), wav, say or SENTENCES[language], language, standby, probe))
        except Exception as error:  # whatever it was: a monitor needs one line and a code
            typer.echo(f"no call: {reason(error, address(url))}", err=True)
            raise typer.Exit(2) from None
        limits = {"first_sound": max_join_ms, "reply": max_reply_ms}
        broken = _broken(numbers, limits)
        if probe and broken:
            typer.echo("over the limit: " + ", ".join(broken), err=True)
            raise typer.Exit(1)
        if probe:
            typer.echo(
                "ok: " + ", ".join(f"{name} {numbers[name]:.0f} ≤ {most:.0f} ms" for name, most in limits.items())
            )


def address(url: str) -> str:
    """As people type it."""
    return (url if "://" in url else f"http://{url}").rstrip("/")


def reason(error: Exception, url: str) -> str:
    """What an operator can do something about."""
    import aiohttp

    match error:
        case aiohttp.ClientSSLError():
            return f"{url} does not speak TLS, or its certificate is not trusted ({error.os_error})"
        case aiohttp.ClientConnectorError():
            return f"nobody answers at {url}: is `nestcall serve` running there?"
        case aiohttp.ContentTypeError() | aiohttp.WSServerHandshakeError():
            return f"what answers at {url} is no Nestcall gateway ({error.status} {error.message})"
        case TimeoutError():
            return "signed in, but not everything was heard in time: is UDP blocked (`nestcall doctor`), or no voice?"
        case _:
            return str(error) or type(error).__name__


def _broken(numbers: dict[str, float], limits: dict[str, float]) -> list[str]:
    return [f"{name} {numbers[name]:.0f} ms > {most:.0f} ms" for name, most in limits.items() if numbers[name] > most]


async def _call(url: str, wav: Path | None, say: str, language: str, standby: bool, probe: bool) -> dict[str, float]:
    from gateway.calls.client import OVER_FRAMES, dial

    speech = await asyncio.to_thread(_recorded, wav) if wav else await _spoken(say, language)
    async with asyncio.timeout(GIVE_UP_S), dial(url, language) as client:
        client.on_message = printer()
        if standby:
            await client.offer()
            await client.connected()
        await client.tap(standby=standby)
        _steps(client)
        reply_ms = await client.say(speech) * 1000
        typer.echo(f"reply       {reply_ms:8.0f} ms  end of speech -> first sound")
        await asyncio.sleep(1.0)  # her captions
        if not probe:
            await client.hearing.silence(OVER_FRAMES)
        await client.hang_up()
        return {**client.steps, "reply": reply_ms}


def _steps(client: "CallClient") -> None:
    for step, ms in sorted(client.steps.items(), key=lambda item: item[1]):
        typer.echo(f"{step:<12}{ms:8.1f} ms")


def printer() -> Callable[[dict[str, Any]], None]:
    """Prints each caption once, however often the gateway says that it is final."""
    shown: set[tuple[str, int]] = set()

    def fresh(message: dict[str, Any]) -> None:
        if message["type"] == "caption.shown" and message.get("final"):
            key = (message["role"], message["turn"])
            if key in shown:
                return
            shown.add(key)
        _printed(message)

    return fresh


def _printed(message: dict[str, Any]) -> None:
    match message:
        case {"type": "caption.shown", "final": True, "role": role, "text": text}:
            typer.echo(f"{role}: {text}")
        case {"type": "turn.measured", "parts_ms": parts, "response_ms": response}:
            shown = "  ".join(f"{name} {ms:.0f}" for name, ms in parts.items())
            typer.echo(f"gateway     {response:8.0f} ms  {shown}")
        case {"type": "call.changed", "call": {"state": state}}:
            typer.echo(f"[{state}]")
        case {"type": "error", "code": code}:
            typer.echo(f"[error {code}]", file=sys.stderr)
        case _:
            pass


def _recorded(path: Path) -> "Samples":
    """Any file PyAV reads, as 48 kHz mono."""
    import av
    import numpy as np

    with av.open(str(path)) as container:
        resampler = av.AudioResampler("s16", "mono", 48_000)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    if not frames:
        raise typer.BadParameter(f"{path} holds no audio", param_hint="--wav")
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


async def _spoken(text: str, language: str) -> "Samples":
    import numpy as np

    from media.engines.espeak import EspeakSynthesizer
    from media.ports import Voice

    engine = EspeakSynthesizer()
    try:
        voice = Voice(language="en" if language == "en" else "zh")
        return np.concatenate([speech.chunk.samples async for speech in engine.speak(text, voice)])
    finally:
        await engine.close()
