"""Where recognizer models are kept on this machine. Nothing is ever downloaded from here."""

from dataclasses import dataclass
from pathlib import Path

WHISPER = {
    "tiny": "Systran/faster-whisper-tiny",
    "base": "Systran/faster-whisper-base",
    "small": "Systran/faster-whisper-small",
    "medium": "Systran/faster-whisper-medium",
    "large-v3": "Systran/faster-whisper-large-v3",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
}
"""Name -> repository on the Hugging Face hub."""
FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json", "vocabulary.*")
LIVE = ("small", "base", "tiny", "turbo", "medium", "large-v3")
"""Which pulled model a call gets when none is named: the best that answers in about a second on two cores first."""


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    path: Path
    size: int
    """Bytes on disk."""


def pulled(models_dir: Path) -> list[Model]:
    """Complete Whisper models under `models_dir`, best for live use first."""
    found = {path.name: path for path in sorted(models_dir.glob("*")) if is_whisper(path)}
    names = [name for name in LIVE if name in found] + [name for name in found if name not in LIVE]
    return [Model(name, found[name], size_of(found[name])) for name in names]


def find_whisper(wanted: str, models_dir: Path) -> Path | None:
    """A directory as given, a name pulled before, a name in the hub's cache; empty: the best pulled."""
    if not wanted:
        models = pulled(models_dir)
        return models[0].path if models else None
    for path in (Path(wanted).expanduser(), models_dir / wanted):
        if is_whisper(path):
            return path
    return _cached(wanted)


def find_sherpa(wanted: str, models_dir: Path) -> Path | None:
    """A directory of a sherpa-onnx model: `tokens.txt` and one or more `.onnx`."""
    places = [Path(wanted).expanduser(), models_dir / wanted] if wanted else sorted(models_dir.glob("sherpa*"))
    return next((path for path in places if (path / "tokens.txt").is_file() and any(path.glob("*.onnx"))), None)


def is_whisper(path: Path) -> bool:
    return (path / "model.bin").is_file() and (path / "config.json").is_file()


def size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _cached(name: str) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(WHISPER.get(name, name), local_files_only=True, allow_patterns=list(FILES)))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
