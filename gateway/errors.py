"""The tree of errors::

    NestcallError                 code, detail, retryable
    ├── Refused                   the request is at fault: the client gets the code
    │   ├── NotYours              unauthenticated, forbidden, not found
    │   ├── BadInput              malformed, too large, wrong type
    │   ├── Conflict              wrong state, taken, stale epoch, nonce conflict
    │   └── TooMuch               rate, busy, limits
    └── Broken                    we, or something we depend on, are at fault
        ├── StorageBroken         database locked, disk full, down
        ├── EngineBroken          recognizer, synthesizer or responder failed
        └── SettingsBroken        cannot start with these settings

`code` is the wire's `ErrorCode`; `detail` is for developers and never carries personal text.
"""

from typing import ClassVar

from signaling.protocol import ErrorCode


class NestcallError(Exception):
    """Root. `str(error)` is `code: detail`."""

    default: ClassVar[ErrorCode] = ErrorCode.INTERNAL
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, code: ErrorCode | None = None, detail: str = "", *, retry_after_ms: int | None = None) -> None:
        self.code = code or self.default
        self.detail = detail
        self.retry_after_ms = retry_after_ms
        super().__init__(f"{self.code}: {detail}" if detail else str(self.code))


class Refused(NestcallError):
    default = ErrorCode.BAD_MESSAGE
    status = 400


class NotYours(Refused):
    """Not signed in, not allowed, or not there: the last two look alike from outside."""

    default = ErrorCode.NOT_FOUND
    status = 404


class BadInput(Refused):
    pass


class Conflict(Refused):
    default = ErrorCode.WRONG_STATE
    status = 409


class TooMuch(Refused):
    default = ErrorCode.TOO_FAST
    status = 429
    retryable = True


class Broken(NestcallError):
    default = ErrorCode.UNAVAILABLE
    status = 503
    retryable = True


class StorageBroken(Broken):
    default = ErrorCode.STORAGE_BUSY


class EngineBroken(Broken):
    pass


class SettingsBroken(Broken):
    retryable = False
