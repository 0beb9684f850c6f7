"""`nestcall models`: the recognizer's models on this machine. Only `pull` touches the network."""

from collections.abc import Iterator
from pathlib import Path

import typer

from gateway.errors import EngineBroken
from gateway.settings import Settings

TO_PULL_MB = {"tiny": 78, "base": 148, "small": 486, "medium": 1530, "large-v3": 3090, "turbo": 1620}
NAMES = "tiny | base | small | medium | large-v3 | turbo"


def register(app: typer.Typer) -> None:
    models = typer.Typer(no_args_is_help=True, help="Models of the speech recognizer: list, pull, path.")
    app.add_typer(models, name="models")

    @models.command("list")
    def list_() -> None:
        """What is here, which of it calls use, and what can be pulled."""
        for line in listed(Settings()):
            typer.echo(line)

    @models.command()
    def path() -> None:
        """Where models are kept. Any directory of a CTranslate2 Whisper put there is found."""
        typer.echo(Settings().models_dir.resolve())

    @models.command()
    def pull(name: str = typer.Argument(help=NAMES)) -> None:
        """Fetch a model from the Hugging Face hub."""
        from media.engines.models import WHISPER

        if name not in WHISPER:
            raise EngineBroken(detail=f"no model {name!r}; there are: {NAMES}")
        place = Settings().models_dir / name
        fetch(WHISPER[name], place)
        typer.echo(f"✓ {place}")


def listed(settings: Settings) -> Iterator[str]:
    from media.engines.models import WHISPER, find_whisper, pulled

    here = {model.name: model for model in pulled(settings.models_dir)}
    used = find_whisper(settings.whisper_model, settings.models_dir)
    for name in dict.fromkeys((*WHISPER, *here)):
        if model := here.get(name):
            note = "   ← 通话在用 calls use this" if model.path == used else ""
            yield f"✓ {name:<10}{model.size / 1e6:>5.0f} MB{note}"
        else:
            yield f"  {name:<10}~{TO_PULL_MB[name]:>4} MB   nestcall models pull {name}"
    if used is None:
        yield "! 还没有模型 · none here yet; what calls use now: nestcall doctor"
    elif used not in [model.path for model in here.values()]:
        yield f"✓ 通话在用 calls use {used}"


def fetch(repository: str, place: Path) -> None:
    """Resumes what an earlier try left; the hub's own progress bars show the way."""
    from huggingface_hub import snapshot_download

    from media.engines.models import FILES

    try:
        snapshot_download(repository, local_dir=place, allow_patterns=list(FILES))
    except Exception as error:  # the hub's client changes its HTTP library, and with it the errors, from time to time
        raise EngineBroken(
            detail=f"没有下载到 {repository}。could not fetch it from huggingface.co ({type(error).__name__}). "
            f"Is it reachable? Set HF_ENDPOINT to a mirror, or copy the model's directory to {place.resolve()}"
        ) from None
