"""How soon the page lowers the assistant's voice when she begins to speak over it: the first step of barge-in, taken by
the page itself. Chromium, the real page; her voice is scheduled into the microphone's stream to the sample, and the
duck is the moment the page turns its loudspeaker down. Part of `benchmarks.voice`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from media.audio import EAR_HZ, Samples

CHROMIUM = "/usr/bin/chromium"
WITHIN_MS = 50.0
MICROPHONE = """
(() => {
  const volume = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "volume");
  const seen = (globalThis.__ducks = []);
  Object.defineProperty(HTMLMediaElement.prototype, "volume", {
    get: volume.get,
    set(to) {
      if (to < this.volume) seen.push(performance.now());
      volume.set.call(this, to);
    },
  });
  navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext({ sampleRate: 48000 });
    const out = context.createMediaStreamDestination();
    // The page's clock at the audio clock's zero. Sound is rendered in bursts: the least lag is the true one.
    let zero = Infinity;
    setInterval(() => (zero = Math.min(zero, performance.now() - context.currentTime * 1000)), 7);
    const play = (samples, loop, at) => {
      const buffer = context.createBuffer(1, samples.length, 16000);
      buffer.copyToChannel(samples, 0);
      const source = new AudioBufferSourceNode(context, { buffer, loop });
      source.connect(out);
      source.start(at);
    };
    // A room's hiss, -75 dBFS: with nothing playing at all Chromium keeps the last 20 ms back until something does.
    play(Float32Array.from({ length: 16000 }, () => (Math.random() - 0.5) * 6e-4), true, 0);
    globalThis.__say = (n) => {
      const at = context.currentTime + 0.3;
      play(Float32Array.from(__lines[n], (s) => s / 32768), false, at);
      return zero + at * 1000;
    };
    return out.stream;
  };
})();
"""
SPEAKING = "__nestcall.levels?.remote > -50"


async def ducks(url: str, speech: Sequence[Samples], wanted: int) -> list[float]:
    """Milliseconds from her first sample in the microphone's stream to the page's volume going down."""
    from playwright.async_api import async_playwright

    found: list[float] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--headless=new",
                "--use-fake-ui-for-media-stream",
                "--autoplay-policy=no-user-gesture-required",
                f"--unsafely-treat-insecure-origin-as-secure={url}",
            ],
        )
        try:
            page = await (await chromium.new_context(locale="en-US", bypass_csp=True)).new_page()
            await page.add_init_script(MICROPHONE)
            await page.goto(url + "/")
            await page.evaluate("lines => void (globalThis.__lines = lines)", [line.tolist() for line in speech])
            await page.wait_for_function("globalThis.__nestcall?.link === 'online'", timeout=30_000)
            await page.get_by_role("button", name="Voice call", exact=True).first.click()
            await page.wait_for_function(SPEAKING, timeout=20_000)
            await page.wait_for_function("__nestcall.levels.remote < -60", timeout=20_000)
            await _say(page, speech, 0)
            for n in range(wanted):
                await page.wait_for_function(SPEAKING, timeout=20_000)
                await asyncio.sleep(0.8)
                before = await page.evaluate("__ducks.length")
                onset = await _say(page, speech, n % len(speech))
                after = await page.evaluate("__ducks.slice()")
                if len(after) > before:
                    found.append(after[before] - onset)
        finally:
            await chromium.close()
    return found


async def _say(page: Any, speech: Sequence[Samples], n: int) -> float:
    """Returns her onset on the page's clock, once she has ended and the answer has had time to begin."""
    onset: float = await page.evaluate("n => __say(n)", n)
    await asyncio.sleep(len(speech[n]) / EAR_HZ + 0.8)
    return onset
