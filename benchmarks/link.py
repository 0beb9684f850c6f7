"""A slow, lossy line between two network namespaces, in user space: this kernel has no netem. Root needed.

    with Link() as link:
        link.set(delay_ms=40, loss=5)
        subprocess.Popen(link.near("python", …))     # 10.88.0.1
        subprocess.Popen(link.far("chromium", …))    # 10.88.0.2

Everything between the two crosses one process that reads the packets from a TUN device, loses `loss` percent, and
writes the others into the other device `delay_ms` later, in order.
"""

import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

NEAR, FAR = "10.88.0.1", "10.88.0.2"
_TUNSETIFF, _TUN_NO_PI = 0x400454CA, 0x0001 | 0x1000


class Link:
    def __init__(self) -> None:
        self._names = (f"nestnear{os.getpid()}", f"nestfar{os.getpid()}")
        self._relay: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        for name in self._names:
            subprocess.run(["ip", "netns", "add", name], check=True)
        command = [sys.executable, "-m", "benchmarks.link", *self._names]
        self._relay = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._relay.stdout is not None
        assert self._relay.stdout.readline().strip() == "ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._relay:
            self._relay.kill()
            self._relay.wait()
        for name in self._names:
            subprocess.run(["ip", "netns", "del", name], check=False)

    def set(self, *, delay_ms: float = 0.0, loss: float = 0.0) -> None:
        """One-way delay, and percent lost in each direction."""
        assert self._relay is not None
        assert self._relay.stdin is not None
        print(json.dumps({"delay": delay_ms / 1000, "loss": loss / 100}), file=self._relay.stdin, flush=True)

    def near(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self._names[0], *command]

    def far(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self._names[1], *command]


def _tun(namespace: str, address: str) -> int:
    """A TUN device inside `namespace`, its descriptor out here."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{namespace}") as there:
        if libc.setns(there.fileno(), 0):
            raise OSError(ctypes.get_errno(), "setns")
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", b"line0", _TUN_NO_PI))
        libc.setns(home.fileno(), 0)
    for words in (("link", "set", "lo", "up"), ("addr", "add", f"{address}/30", "dev", "line0")):
        subprocess.run(["ip", "-n", namespace, *words], check=True)
    subprocess.run(["ip", "-n", namespace, "link", "set", "line0", "mtu", "1400", "up"], check=True)
    return device


def relay(near: str, far: str) -> None:
    os.nice(-10)  # a line has no other work
    devices = (_tun(near, NEAR), _tun(far, FAR))
    poll = select.epoll()
    for descriptor in (*devices, sys.stdin.fileno()):
        poll.register(descriptor, select.EPOLLIN)
    print("ready", flush=True)
    rules, waiting, n = {"delay": 0.0, "loss": 0.0}, list[tuple[float, int, int, bytes]](), 0
    while True:
        timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 1.0
        for descriptor, _ in poll.poll(timeout):
            if descriptor == sys.stdin.fileno():
                # Not by readline: what it read ahead no poll would ever tell of, and the line would stay as it was.
                said = os.read(descriptor, 4096)
                if not said:
                    return
                rules |= json.loads(said.splitlines()[-1])
                continue
            with contextlib.suppress(BlockingIOError):
                while packet := os.read(descriptor, 2000):
                    if random.random() >= rules["loss"]:
                        n += 1
                        target = devices[descriptor == devices[0]]
                        heapq.heappush(waiting, (time.monotonic() + rules["delay"], n, target, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, target, packet = heapq.heappop(waiting)
            with contextlib.suppress(OSError):
                os.write(target, packet)


if __name__ == "__main__":
    relay(sys.argv[1], sys.argv[2])
