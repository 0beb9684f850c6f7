"""One module per family of commands. Each has `register(app: typer.Typer) -> None`; `gateway.cli` finds them all."""
