"""A child process: rebuild one photo from its pixels.

Nothing but pixels survives: a new image is made and the pixels are pasted in, so EXIF (GPS, serial numbers,
MakerNote, thumbnail), XMP, IPTC, comments, profiles and trailing bytes have no way through. Before that, orientation
is applied and colours are brought to sRGB. Written: `full` and `thumbnail` as JPEG; a preview as a data URL.
"""

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image, ImageCms, ImageOps

from gateway.files.child import MEBIBYTE, Unfit, limit, report

FULL_EDGE = 2560
THUMBNAIL_EDGE = 480
PREVIEW_EDGE = 24
MEMORY = 1024 * MEBIBYTE
CPU_S = 20


def rebuild(order: dict[str, Any]) -> dict[str, Any]:
    """`source`, `full`, `thumbnail` are paths, `max_pixels` a count; gives width, height, preview."""
    with Image.open(order["source"], formats=("JPEG", "PNG", "WEBP")) as image:
        _check_pixels(image, order["max_pixels"])
        pixels = _upright(image)
    full = _bounded(pixels, FULL_EDGE)
    _write_jpeg(full, Path(order["full"]), quality=86)
    _write_jpeg(_bounded(full, THUMBNAIL_EDGE), Path(order["thumbnail"]), quality=80)
    return {"width": full.width, "height": full.height, "preview": _preview(full)}


def _check_pixels(image: Image.Image, most: int) -> None:
    """By the header, before anything is decoded. An animation counts every frame."""
    frames = 1 if image.format in ("JPEG", "MPO") else getattr(image, "n_frames", 1)
    if image.width * image.height * frames > most:
        raise Unfit("image_too_big")


def _upright(image: Image.Image) -> Image.Image:
    """The first frame as RGB in sRGB, the right way up, holding nothing but pixels."""
    image.draft("RGB", (FULL_EDGE, FULL_EDGE))  # JPEG: decode at half, a quarter, … where that is still enough
    image.load()
    profile = image.info.get("icc_profile")
    small = _bounded(image, FULL_EDGE) if image.mode in ("RGB", "L") else image
    upright = _flat(_srgb(ImageOps.exif_transpose(small), profile))
    clean = Image.new("RGB", upright.size)
    clean.paste(upright)
    return clean


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile or image.mode != "RGB":
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError):
        return image  # an unreadable profile: the plain values are the best guess
    return converted or image


def _flat(image: Image.Image) -> Image.Image:
    """On white, 8 bits a channel."""
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _bounded(image: Image.Image, edge: int) -> Image.Image:
    if max(image.size) <= edge:
        return image
    return ImageOps.contain(image, (edge, edge), method=Image.Resampling.LANCZOS)


def _write_jpeg(image: Image.Image, path: Path, quality: int) -> None:
    image.save(path, "JPEG", quality=quality, progressive=True, optimize=True)


def _preview(image: Image.Image) -> str:
    """About 150 bytes of WebP: shown blurred until the photo is there."""
    buffer = io.BytesIO()
    _bounded(image, PREVIEW_EDGE).save(buffer, "WEBP", quality=30, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


if __name__ == "__main__":
    limit(memory=MEMORY, cpu_s=CPU_S, output=64 * MEBIBYTE)
    Image.MAX_IMAGE_PIXELS = None  # ours is checked first, and is an error and not a warning
    report(rebuild, too_big="image_too_big")
