"""Everything that can be set, from `NESTCALL_*` variables or a `.env` file. `docs` of each field is its description."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Sizes are bytes, spans seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="NESTCALL_", env_file=".env", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    data_dir: Path = Field(Path("var"), description="database, files, models, secrets")
    database_url: str = Field("", description="SQLAlchemy URL; empty: SQLite in data_dir")
    redis_url: str = Field("", description="wake-ups between several gateways; empty: one gateway")
    public_url: str = Field("", description="how browsers reach us; empty: http://host:port")
    allowed_origins: tuple[str, ...] = Field((), description="Origins besides our own that may open the WebSocket")
    trusted_proxies: tuple[str, ...] = Field((), description="proxies whose X-Forwarded-For is believed")
    demo: bool = Field(True, description="create the demo chain in an empty database")
    guests: bool = Field(True, description="let a visitor without a signed identity chat as a guest")
    identity_secret: SecretStr = Field(SecretStr(""), description="HS256 key of the shop's signed identity tokens")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="least severe line shown")

    recognizer: Literal["auto", "instant", "whisper", "sherpa", "openai", "phrasebook", "none"] = Field(
        "auto", description="rung of the recognizer ladder; `instant` is for benchmarks"
    )
    synthesizer: Literal["auto", "tone", "edge", "openai", "espeak", "none"] = Field(
        "auto", description="rung of the synthesizer ladder; `tone` is for benchmarks"
    )
    responder: Literal["auto", "instant", "llm", "retrieval"] = Field(
        "auto", description="rung of the responder ladder; `instant` is for benchmarks"
    )
    whisper_model: str = Field("", description="directory or name of a faster-whisper model; empty: the best pulled")
    sherpa_model: str = Field("", description="directory of a sherpa-onnx model; empty: one in the models directory")
    openai_speech_url: str = Field("", description="OpenAI-style base URL with /v1/audio/*")
    openai_speech_key: SecretStr = SecretStr("")
    openai_hear_model: str = Field("whisper-1", description="model for /v1/audio/transcriptions; empty: do not use it")
    openai_speak_model: str = Field("tts-1", description="model for /v1/audio/speech; empty: do not use it")
    openai_voice: str = Field("alloy", description="voice for /v1/audio/speech")
    llm_url: str = Field("", description="OpenAI-style base URL with /v1/chat/completions")
    llm_key: SecretStr = SecretStr("")
    llm_model: str = ""
    embeddings_url: str = Field("", description="OpenAI-style base URL with /v1/embeddings; empty: no re-ranker")
    embeddings_key: SecretStr = SecretStr("")
    embeddings_model: str = ""
    shop_url: str = Field("", description="base URL of the shop's own system for tools; empty: our own tables")
    shop_secret: SecretStr = SecretStr("")
    edge_tts: bool = Field(True, description="try Microsoft's edge-tts; not meant for commercial use by its maker")

    ice_servers: tuple[str, ...] = Field((), description="STUN/TURN URLs; empty: none, never a foreign one")
    turn_secret: SecretStr = Field(SecretStr(""), description="coturn's static-auth-secret")
    ice_ports: str = Field("", description="UDP port range for media, e.g. 50000-50200")
    allow_lan: bool = Field(True, description="accept private-range remote candidates")
    max_calls: int = Field(24, ge=1, description="running calls at once; more are refused as busy")
    max_standbys: int = Field(200, ge=0, description="standby peer connections; shed first under load")
    connect_deadline: float = Field(15.0, gt=0, description="a call that never connects ends after this")
    max_upload: int = Field(25 * 1024 * 1024, gt=0)
    max_upload_day: int = Field(512 * 1024 * 1024, gt=0, description="bytes one person may upload in a day")
    max_image_pixels: int = Field(40_000_000, gt=0)

    @cached_property
    def database(self) -> str:
        """The effective SQLAlchemy URL."""
        return self.database_url or f"sqlite+aiosqlite:///{(self.data_dir / 'nestcall.db').resolve()}"

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"

    @property
    def models_dir(self) -> Path:
        return self.data_dir / "models"
