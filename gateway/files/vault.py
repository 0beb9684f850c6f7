"""Where the bytes of files lie: `root/xx/<id>/{part,content,thumbnail}`. Only ids the gateway made become paths.

All methods block and are called in threads. While a file is arriving, the length of `part` is the truth about its
offset: it survives a killed gateway, and two writers of one upload cannot both be right.
"""

import errno
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.errors import Conflict, NotYours, StorageBroken
from signaling.protocol import ErrorCode

RESERVE = 256 * 1024 * 1024
"""Kept free for the database: uploads stop before messages do. At most a twentieth of the disk."""
_ID = re.compile(r"^f-[0-9a-f]{32}$")


class Vault:
    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, file: str, part: str) -> Path:
        """`part`: part | content | thumbnail, or a temporary name of ours."""
        if not _ID.match(file):
            raise NotYours(ErrorCode.NOT_FOUND)
        return self._root / file[-2:] / file / part

    def check_room(self, size: int) -> None:
        """Raises STORAGE_FULL when `size` more bytes would leave the database too little."""
        usage = shutil.disk_usage(self._root)
        if usage.free - size < min(RESERVE, usage.total // 20):
            raise StorageBroken(ErrorCode.STORAGE_FULL, "no room for this file")

    def begin(self, file: str) -> None:
        part = self.path(file, "part")
        with _coded():
            part.parent.mkdir(parents=True, mode=0o700)
            part.touch(mode=0o600)

    def offset(self, file: str) -> int:
        """Bytes of the upload that are here; 0 for one whose bytes are gone."""
        try:
            return self.path(file, "part").stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, file: str, offset: int, chunk: bytes) -> int:
        """Gives the new offset. Raises UPLOAD_OFFSET when the upload is not exactly there; STORAGE_FULL."""
        with _coded(), self.path(file, "part").open("r+b", buffering=0) as part:
            if os.fstat(part.fileno()).st_size != offset:
                raise Conflict(ErrorCode.UPLOAD_OFFSET, "the upload is at another offset")
            os.pwrite(part.fileno(), chunk, offset)
        return offset + len(chunk)

    def ends(self, file: str, head: int, tail: int) -> tuple[bytes, bytes]:
        """The first and the last bytes of a complete upload."""
        with self.path(file, "part").open("rb") as part:
            first = part.read(head)
            part.seek(-min(tail, part.seek(0, os.SEEK_END)), os.SEEK_END)
            return first, part.read()

    def settle(self, file: str, *, as_it_came: bool) -> int:
        """Make the result durable, with the way to it; gives the size of `content`.

        `part` stays until `tidy`, so this can be repeated.
        """
        content = self.path(file, "content")
        if as_it_came:
            content.unlink(missing_ok=True)
            content.hardlink_to(self.path(file, "part"))
        folder = content.parent
        for path in (*folder.iterdir(), folder, folder.parent, self._root):
            _sync(path)
        return content.stat().st_size

    def tidy(self, file: str) -> None:
        """The row knows the result: drop what it was made from."""
        for path in self.path(file, "part").parent.iterdir():
            if path.name not in ("content", "thumbnail"):
                path.unlink()

    def remove(self, file: str) -> None:
        shutil.rmtree(self.path(file, "part").parent, ignore_errors=True)

    def older(self, seconds: float) -> list[str]:
        """Every id whose bytes were last touched before so many seconds."""
        before = time.time() - seconds
        return [folder.name for folder in self._root.glob("??/f-*") if folder.stat().st_mtime < before]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _coded() -> Iterator[None]:
    """A full disk is STORAGE_FULL, bytes that were swept away are NOT_FOUND."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotYours(ErrorCode.NOT_FOUND) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise StorageBroken(ErrorCode.STORAGE_FULL, "the disk is full") from error
