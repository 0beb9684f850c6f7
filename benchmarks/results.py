"""What every benchmark prints and keeps: percentiles with N, the machine and the command, a JSON and a plot."""

import json
import os
import platform
import socket
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent / "results"


def spread(values: Sequence[float]) -> dict[str, float]:
    """n, p50, p95, p99, max; only n where there is nothing."""
    if not len(values):
        return {"n": 0}
    p50, p95, p99 = (float(x) for x in np.percentile(values, [50, 95, 99]))
    return {"n": len(values), "p50": p50, "p95": p95, "p99": p99, "max": float(max(values))}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def undisturbed() -> str:
    """This process and what it starts from now on go before all other work (real time, the lowest priority of it),
    where the system allows it; says what it got, for the record."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (PermissionError, AttributeError):
        return "no priority"
    return "real-time priority"


def machine() -> str:
    load = os.getloadavg()[0]
    here = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {load:.1f}"
    return f"{here}, {command()}"


def command() -> str:
    return "python -m benchmarks." + Path(sys.argv[0]).stem + "".join(f" {arg}" for arg in sys.argv[1:])


def save(
    name: str, numbers: Mapping[str, Any], bars: Mapping[str, float], unit: str = "", line: float | None = None
) -> None:
    """`results/<name>.json` and a bar plot; `line` is the target."""
    HERE.mkdir(exist_ok=True)
    record = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), **numbers}
    (HERE / f"{name}.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    _plot(name, bars, unit, line)


def _plot(name: str, bars: Mapping[str, float], unit: str, line: float | None) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 0.4 * len(bars) + 1.5))
    axes.barh(list(bars)[::-1], list(bars.values())[::-1])
    if line is not None:
        axes.axvline(line, color="red", linestyle="--")
    axes.set_xlabel(unit)
    axes.set_title(name)
    figure.tight_layout()
    figure.savefig(HERE / f"{name}.png", dpi=90)
    plt.close(figure)
