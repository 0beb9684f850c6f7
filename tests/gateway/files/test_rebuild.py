"""The child processes: nothing but pixels and sound comes through."""

from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from gateway.errors import BadInput
from gateway.files.rebuild import Workbench
from signaling.protocol import ErrorCode
from tests.gateway.files import crafted

TRACE_WORDS = ("GPS", "XMP", "IPTC", "canary", "Thumbnail", "Serial", "Comment", "MakerNote", "ICC_", "IFD0", "Artist")


async def picture(source: Path, max_pixels: int = 40_000_000) -> dict[str, Any]:
    order = {"source": str(source), "full": str(source) + ".full", "thumbnail": str(source) + ".thumb"}
    return await Workbench().run("picture", order | {"max_pixels": max_pixels})


async def sound(source: Path, becomes: str = "voice", media_type: str = "audio/mp4") -> dict[str, Any]:
    order = {"source": str(source), "target": str(source) + ".out", "speech": str(source) + ".pcm"}
    return await Workbench().run("sound", order | {"becomes": becomes, "media_type": media_type})


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


async def refusal(source: Path, **limits: int) -> ErrorCode:
    with pytest.raises(BadInput) as refused:
        await picture(source, **limits)
    return refused.value.code


async def test_no_trace_of_where_and_by_what_a_photo_was_taken(tmp_path: Path) -> None:
    source = put(tmp_path, "in.jpg", crafted.traced_photo(tmp_path))
    assert all(
        word in crafted.exiftool(source) for word in ("GPS Latitude", "canary-xmp", "canary-comment", "Thumbnail")
    )
    facts = await picture(source)
    for variant in (".full", ".thumb"):
        seen = crafted.exiftool(Path(str(source) + variant))
        assert "Image Width" in seen
        assert not [word for word in TRACE_WORDS if word.lower() in seen.lower()]
        assert b"canary" not in Path(str(source) + variant).read_bytes()
    assert facts["preview"].startswith("data:image/webp;base64,")
    assert len(facts["preview"]) < 1000


async def test_orientation_is_applied(tmp_path: Path) -> None:
    source = put(tmp_path, "in.jpg", crafted.traced_photo(tmp_path))  # 800x600, orientation 6: turn right
    facts = await picture(source)
    assert (facts["width"], facts["height"]) == (600, 800)
    with Image.open(str(source) + ".full") as full:
        red, other = full.getpixel((590, 10)), full.getpixel((10, 10))
    assert red[0] > 230
    assert red[1] < 40  # the red quarter went from left top to right top
    assert other[0] < 230 or other[1] > 40


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA", "1", "CMYK", "I;16"])
async def test_every_mode_becomes_a_plain_jpeg(tmp_path: Path, format: str, mode: str) -> None:
    image = crafted.pixels(64, 48)
    try:
        content = crafted.encoded(image.convert("L" if mode == "I;16" else mode), format)
    except OSError:
        pytest.skip(f"{format} has no {mode}")
    await picture(put(tmp_path, "in", content))
    with Image.open(tmp_path / "in.full") as full:
        assert (full.format, full.mode, full.size) == ("JPEG", "RGB", (64, 48))


async def test_large_photos_are_bounded(tmp_path: Path) -> None:
    facts = await picture(put(tmp_path, "in.jpg", crafted.jpeg(6000, 4000)))
    assert (facts["width"], facts["height"]) == (2560, 1707)
    with Image.open(tmp_path / "in.jpg.thumb") as thumbnail:
        assert max(thumbnail.size) == 480


async def test_pixel_bombs_are_refused_by_their_header(tmp_path: Path) -> None:
    bomb = crafted.encoded(Image.new("1", (30_000, 30_000)), "PNG")
    assert len(bomb) < 300_000
    assert await refusal(put(tmp_path, "bomb.png", bomb)) is ErrorCode.IMAGE_TOO_BIG


async def test_an_animation_counts_every_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (500, 500), (n * 6, 255 - n * 6, 0)) for n in range(40)]
    film = crafted.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    assert await refusal(put(tmp_path, "film.webp", film), max_pixels=5_000_000) is ErrorCode.IMAGE_TOO_BIG


async def test_a_cut_photo_is_broken(tmp_path: Path) -> None:
    assert await refusal(put(tmp_path, "cut.jpg", crafted.jpeg()[:3000])) is ErrorCode.FILE_BROKEN


RECORDERS = [
    ("webm", "libopus"),
    ("mp4", "aac"),
    ("ogg", "libopus"),
    ("wav", "pcm_s16le"),
    ("mp3", "mp3"),
    ("adts", "aac"),
]


@pytest.mark.parametrize(("format", "codec"), RECORDERS)
async def test_every_recorder_becomes_aac_in_mp4(tmp_path: Path, format: str, codec: str) -> None:
    source = tmp_path / "in"
    crafted.recording(source, format, codec, 2.0, title="canary-title", location="+31.2304+121.4737/")
    facts = await sound(source)
    assert 1900 <= facts["duration_ms"] <= 2150
    bars = facts["waveform"]
    assert len(bars) == 64
    assert max(bars[:28]) < 10 < 50 < min(bars[36:60])
    with av.open(str(source) + ".out") as note:
        assert (note.streams.audio[0].codec_context.name, note.streams.audio[0].channels) == ("aac", 1)
        assert 1900 <= float(note.duration) / 1000 <= 2150
    assert b"canary" not in Path(str(source) + ".out").read_bytes()
    assert abs(Path(str(source) + ".pcm").stat().st_size / 32_000 - 2.0) < 0.15


async def test_a_sent_video_keeps_its_frames_and_loses_its_place(tmp_path: Path) -> None:
    source = tmp_path / "in"
    crafted.clip(source, title="canary-title", location="+31.2304+121.4737/", comment="canary-comment")
    assert "canary-title" in crafted.exiftool(source)
    await sound(source, "media", "video/mp4")
    seen = crafted.exiftool(Path(str(source) + ".out"))
    assert "canary" not in seen
    assert "GPS" not in seen
    with av.open(str(source) + ".out") as film:
        assert sum(1 for _ in film.decode(video=0)) == 10


async def test_noise_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        await sound(put(tmp_path, "in", bytes(range(256)) * 200))
    assert refused.value.code is ErrorCode.FILE_BROKEN


async def test_a_playlist_opens_nothing(tmp_path: Path) -> None:
    target = put(tmp_path, "secret.wav", crafted.recording(tmp_path / "s", "wav", "pcm_s16le"))
    list_ = put(tmp_path, "in.m3u8", f"#EXTM3U\n#EXTINF:1,\nfile://{target}\n#EXT-X-ENDLIST\n".encode())
    with pytest.raises(BadInput):
        await sound(list_)
