"""The media tree of errors::

MediaError
├── EngineFailed      a recognizer, synthesizer or responder gave up; `retryable` says whether to try again
├── BadOffer          SDP or candidate that cannot be used
└── LegLost           the peer connection failed or never came up
"""


class MediaError(Exception):
    """Root of what media raises."""


class EngineFailed(MediaError):
    def __init__(self, engine: str, why: str, *, retryable: bool = True) -> None:
        self.engine, self.why, self.retryable = engine, why, retryable
        super().__init__(f"{engine}: {why}")


class BadOffer(MediaError):
    pass


class LegLost(MediaError):
    pass
