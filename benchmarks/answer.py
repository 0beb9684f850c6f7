"""How long a customer waits for the assistant's answer in chat: over the real WebSocket, from sending to seeing it.

    python -m benchmarks.answer [--n 200]

Floor: the ack of the same message (stored, not yet thought about).
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from benchmarks.results import machine, save, spread
from gateway.settings import Settings
from tests.gateway.served import Client, Served, served

CUSTOMER, MANAGER = "customer-lili", "manager-lin"
GOLDEN = Path(__file__).resolve().parents[1] / "gateway" / "demo" / "golden.jsonl"
TARGET_MS = 300.0


def questions(n: int) -> list[str]:
    """Golden questions, from all over the set."""
    known = [json.loads(line)["question"] for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [known[i * len(known) // n % len(known)] for i in range(n)]


async def asked(shop: Served, phone: Client, conversation: str, text: str) -> tuple[float, float]:
    """Milliseconds to the ack and to the answer. A red flag is cleared at once: after it there is nothing to think."""
    began = time.perf_counter()
    ack = await phone.send(conversation, text)
    acked = time.perf_counter()
    while (said := await phone.event(kind="message.sent", role="assistant"))["seq"] < ack["seq"]:
        pass
    times = (acked - began) * 1e3, (time.perf_counter() - began) * 1e3
    if said["data"].get("decision") == "red_flag":
        path = f"/api/v1/conversations/{conversation}/acts"
        await shop.call(MANAGER, "POST", path, nonce=f"clear-{said['seq']:06}", act="clear_red_flag")
    return times


async def measured(n: int) -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(
            data_dir=Path(place), port=0, log_level="ERROR", recognizer="none", synthesizer="none", _env_file=None
        )
        async with served(settings) as shop:
            conversation = await shop.conversation(CUSTOMER)
            async with shop.connect(CUSTOMER) as phone:
                await asked(shop, phone, conversation, "你好")  # the first builds the index
                await asked(shop, phone, conversation, "推车怎么选")
                pairs = []
                for text in questions(n):
                    pairs.append(await asked(shop, phone, conversation, text))
                    await asyncio.sleep(0.06)  # she types slower than the rate limit
    return [ack for ack, _ in pairs], [answer for _, answer in pairs]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200)
    acks, answers = asyncio.run(measured(parser.parse_args().n))
    ack, answer = spread(acks), spread(answers)
    print(machine())
    for name, numbers in (("ack", ack), ("answer", answer)):
        print(name, "ms", {key: round(value, 1) for key, value in numbers.items()})
    bars = {
        f"{name} {key}": numbers[key]
        for name, numbers in (("ack", ack), ("answer", answer))
        for key in ("p50", "p95", "p99")
    }
    save("answer", {"ack_ms": ack, "answer_ms": answer}, bars, "ms", TARGET_MS)


if __name__ == "__main__":
    main()
