"""Crafted bad files, generated: each must be refused with a code. None of them is in the repository."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gateway.files.kinds import ACTIVE, Purpose
from signaling.protocol import ErrorCode
from tests.gateway.files import crafted

TYPE, BROKEN, BIG = ErrorCode.FILE_TYPE, ErrorCode.FILE_BROKEN, ErrorCode.IMAGE_TOO_BIG
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<<>>\n%%EOF\n"


@dataclass(frozen=True)
class Bad:
    what: str
    name: str
    purpose: Purpose
    content: bytes
    code: tuple[ErrorCode, ...]


def everything(folder: Path) -> list[Bad]:
    good = good_ones(folder)
    makers = (foreign(), cut(good), misnamed(good), misplaced(good), dressed(good), bombs(), garbage(good), papers())
    return [bad for maker in makers for bad in maker]


def good_ones(folder: Path) -> dict[str, bytes]:
    return {
        "jpg": crafted.jpeg(),
        "png": crafted.png(),
        "webp": crafted.encoded(crafted.pixels(), "WEBP"),
        "pdf": PDF,
        "mp4": crafted.clip(folder / "v"),
        "wav": crafted.recording(folder / "w", "wav", "pcm_s16le"),
        "mp3": crafted.recording(folder / "m", "mp3", "mp3"),
        "webm": crafted.recording(folder / "e", "webm", "libopus"),
        "ogg": crafted.recording(folder / "o", "ogg", "libopus"),
    }


def archive(name: str, size: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zip_:
        zip_.writestr(name, bytes(size))
    return buffer.getvalue()


def foreign() -> Iterator[Bad]:
    """What we never take, under every innocent name."""
    script = b"<script>alert(document.domain)</script>"
    kinds = {
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "svg-declared": b'<?xml version="1.0"?><svg onload="alert(1)"/>',
        "html": b"<!doctype html>" + script,
        "html-spaced": b"\n \xef\xbb\xbf<HTML>" + script,
        "js": b"alert(1)//",
        "php": b"<?php system($_GET['x']);",
        "shell": b"#!/bin/sh\nid\n",
        "exe": b"MZ" + bytes(200),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(200),
        "class": b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(50),
        "gif": crafted.encoded(Image.new("P", (4, 4)), "GIF"),
        "gif-js": b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)//",
        "bmp": crafted.encoded(crafted.pixels(8, 8), "BMP"),
        "tiff": crafted.encoded(crafted.pixels(8, 8), "TIFF"),
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(100),
        "psd": b"8BPS\0\x01" + bytes(100),
        "swf": b"FWS\x06" + bytes(100),
        "zip-bomb": archive("zeros", 3_000_000),
        "zip-slip": archive("../../evil.sh", 10),
        "docx": archive("word/document.xml", 100),
        "rar": b"Rar!\x1a\x07\0" + bytes(100),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
        "gz": b"\x1f\x8b\x08" + bytes(100),
        "sqlite": b"SQLite format 3\0" + bytes(100),
        "zeros": bytes(4096),
        "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
    }
    for what, content in kinds.items():
        for name, purpose in (
            ("a.jpg", "image"),
            ("a.png", "image"),
            ("a.pdf", "file"),
            ("a.m4a", "voice"),
            ("", "file"),
        ):
            yield Bad(f"{what} as {name or 'nameless'}", name, purpose, content, (TYPE,))  # type: ignore[arg-type]


def cut(good: dict[str, bytes]) -> Iterator[Bad]:
    for extension in ("jpg", "png", "webp"):
        content = good[extension]
        for share in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9):
            short = content[: max(30, int(len(content) * share))]
            yield Bad(f"{extension} cut at {share:.0%}", f"a.{extension}", "image", short, (BROKEN,))
    for size in (9, 20, 40):
        yield Bad(f"pdf cut at {size}", "a.pdf", "file", PDF[:size], (BROKEN,))


def misnamed(good: dict[str, bytes]) -> Iterator[Bad]:
    for extension, content in good.items():
        for other in sorted(good.keys() - {extension}):
            yield Bad(f"{extension} named {other}", f"a.{other}", "file", content, (TYPE,))


def misplaced(good: dict[str, bytes]) -> Iterator[Bad]:
    for extension in ("pdf", "mp4", "wav", "webm", "mp3"):
        yield Bad(f"{extension} as image", f"a.{extension}", "image", good[extension], (TYPE,))
    for extension in ("pdf", "jpg", "png", "webp"):
        yield Bad(f"{extension} as voice", f"a.{extension}", "voice", good[extension], (TYPE,))
    yield Bad("video without sound as voice", "a.mp4", "voice", good["mp4"], (TYPE,))


def dressed(good: dict[str, bytes]) -> Iterator[Bad]:
    """An honest photo under a name made to deceive."""
    for extension in sorted(ACTIVE):
        yield Bad(f"double extension {extension}", f"a.{extension}.jpg", "image", good["jpg"], (TYPE,))
        yield Bad(f"named {extension}", f"a.{extension.upper()}", "image", good["jpg"], (TYPE,))
    for mark in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
        yield Bad(f"direction override {ord(mark):x}", f"a{mark}gpj.jpg", "image", good["jpg"], (TYPE,))
    yield Bad("hidden exe", "a.e\u200bxe", "image", good["jpg"], (TYPE,))
    yield Bad("dots after", "a.html. . ", "image", good["jpg"], (TYPE,))


def bombs() -> Iterator[Bad]:
    yield Bad("30k png", "a.png", "image", crafted.encoded(Image.new("1", (30_000, 30_000)), "PNG"), (BIG,))
    yield Bad("12k png", "a.png", "image", crafted.encoded(Image.new("L", (12_000, 12_000)), "PNG"), (BIG,))
    for width, height in ((2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (100_000, 100_000), (40_000_001, 1)):
        yield Bad(f"png header {width}x{height}", "a.png", "image", png_header(width, height), (BIG, BROKEN))
    yield Bad("jpeg header", "a.jpg", "image", jpeg_header(65_000, 65_000), (BIG,))
    frames = [Image.new("RGB", (1000, 1000), (n * 5, 255 - n * 5, n)) for n in range(50)]
    film = crafted.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    yield Bad("animated webp", "a.webp", "image", film, (BIG,))
    yield Bad("text bomb", "a.png", "image", text_bomb(), (BROKEN,))


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_header(width: int, height: int, *more: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + pixels + png_chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """100 MB of text in 100 kB."""
    return png_header(64, 64, png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9)))


def jpeg_header(width: int, height: int) -> bytes:
    content = bytearray(crafted.jpeg())
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def garbage(good: dict[str, bytes]) -> Iterator[Bad]:
    """The right beginning, then noise."""
    beginnings = {"jpg": 4, "png": 16, "webp": 16, "webm": 60, "ogg": 28, "mp4": 32}
    for seed in range(4):
        noise = random.Random(seed).randbytes(5000)
        for extension, kept in beginnings.items():
            purpose: Purpose = "image" if extension in ("jpg", "png", "webp") else "file"
            content = good[extension][:kept] + noise
            yield Bad(f"{extension} then noise {seed}", f"a.{extension}", purpose, content, (BROKEN, TYPE, BIG))


def papers() -> Iterator[Bad]:
    for mark in (b"<html>", b"<script>", b"<SVG onload=x>", b"<!DOCTYPE html>", b"<?php", b"<?xml"):
        yield Bad(f"pdf and {mark!r}", "a.pdf", "file", b"%PDF-1.4\n" + mark + PDF, (TYPE,))
    yield Bad("pdf later", "a.pdf", "file", b"GIF89a" + PDF, (TYPE,))
    yield Bad("pdf behind a page", "a.pdf", "file", b"<html>" + PDF, (TYPE,))
