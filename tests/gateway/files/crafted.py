"""Generated media for tests: honest photos and recordings, full of metadata."""

import io
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

GPS = ("-GPSLatitude=31.2304", "-GPSLatitudeRef=N", "-GPSLongitude=121.4737", "-GPSLongitudeRef=E")
TRACES = (
    *GPS,
    "-XMP:Creator=canary-xmp",
    "-XMP:City=canary-city",
    "-IPTC:Caption-Abstract=canary-iptc",
    "-Comment=canary-comment",
    "-SerialNumber=canary-serial",
    "-EXIF:Artist=canary-artist",
    "-EXIF:ImageDescription=canary-description",
)


def pixels(width: int = 640, height: int = 480) -> Image.Image:
    """A picture whose left top quarter is red, so that turning it can be seen."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    rgb = np.stack([x, y, (x + y) / 2], axis=-1).astype(np.uint8)
    rgb[: height // 2, : width // 2] = (255, 0, 0)
    return Image.fromarray(rgb, "RGB")


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def jpeg(width: int = 640, height: int = 480, **options: Any) -> bytes:
    return encoded(pixels(width, height), "JPEG", **options)


def png(width: int = 640, height: int = 480, **options: Any) -> bytes:
    return encoded(pixels(width, height), "PNG", **options)


def traced_photo(folder: Path) -> bytes:
    """A JPEG with GPS EXIF, XMP, IPTC, a comment, a serial number and an embedded thumbnail, lying on its side."""
    photo, small = folder / "traced.jpg", folder / "small.jpg"
    photo.write_bytes(jpeg(800, 600))
    small.write_bytes(jpeg(160, 120))
    write = ["exiftool", "-q", "-overwrite_original", *TRACES, "-n", "-Orientation=6", f"-ThumbnailImage<={small}"]
    subprocess.run([*write, str(photo)], check=True)
    return photo.read_bytes()


def tone(seconds: float = 1.0, rate: int = 48_000) -> np.ndarray:
    """s16 mono: silence for the first half, a tone for the second."""
    t = np.arange(int(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * t)
    wave[: wave.size // 2] = 0
    return (wave * 32767).astype(np.int16)


def recording(path: Path, format: str, codec: str, seconds: float = 1.0, **metadata: str) -> bytes:
    """What a browser's MediaRecorder gives: audio in a container, with titles and places."""
    with av.open(str(path), "w", format=format) as out:
        out.metadata.update(metadata)
        stream = out.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(seconds)[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=48_000, frame_size=960)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path.read_bytes()


def clip(path: Path, **metadata: str) -> bytes:
    """One second of H.264 in MP4, with metadata."""
    with av.open(str(path), "w", format="mp4") as out:
        out.metadata.update(metadata)
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for n in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), n * 20, np.uint8), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path.read_bytes()


def exiftool(path: Path) -> str:
    """Everything the judge can see, including unknown and embedded tags."""
    seen = subprocess.run(
        ["exiftool", "-a", "-u", "-U", "-g1", "-ee", str(path)], capture_output=True, text=True, check=False
    )
    return seen.stdout
