"""`nestcall doctor`: what works, what is missing and how to get it. Exit code 1 when something is broken."""

import asyncio

import typer

from gateway.settings import Settings

SIGNS = {"ok": ("✓", "green"), "weak": ("!", "yellow"), "broken": ("✗", "red")}


def register(app: typer.Typer) -> None:
    @app.command()
    def doctor() -> None:
        """Check engines, ports, microphone, TURN, disk, database and pages."""
        broken = asyncio.run(report(Settings()))
        if broken:
            raise typer.Exit(1)


async def report(settings: Settings) -> int:
    """Prints a line or two for each finding; returns how many are broken."""
    from gateway.diagnosis import findings
    from gateway.telemetry import set_up_logs

    set_up_logs("ERROR")
    counts = dict.fromkeys(SIGNS, 0)
    async for finding in findings(settings):
        counts[finding.level] += 1
        sign, color = SIGNS[finding.level]
        typer.secho(f"{sign} {finding.name}  ", fg=color, nl=False)
        typer.echo(finding.what)
        if finding.fix:
            typer.echo(f"    → {finding.fix}")
    typer.echo(f"{counts['ok']} ✓  {counts['weak']} !  {counts['broken']} ✗")
    return counts["broken"]
