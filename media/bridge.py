"""Two legs of one call joined: audio and video forwarded as they were encoded, never decoded and re-encoded.

The customer's ear goes on hearing (captions, the recognizer); the bridge only taps. Each direction starts with its
first packet, video with its first key frame, which is asked for at once; whatever played before plays until then.
"""

from media.peer import Leg


class _Way:
    """One direction, `source` to `target`."""

    def __init__(self, source: Leg, target: Leg) -> None:
        self._source, self._target = source, target

    def open(self) -> None:
        source, target = self._source, self._target
        target.audio.take(self)
        target.video.take(self)
        source.audio_taps.add(self._audio)
        source.video_taps.add(self._video)
        target.on_keyframe_wanted = source.ask_keyframe
        target.on_bitrate = source.cap_bitrate
        source.ask_keyframe()

    def _audio(self, packet: bytes, timestamp: int) -> None:
        self._target.audio.push(self, packet, timestamp)

    def _video(self, frame: bytes, timestamp: int, key: bool) -> None:
        if not key and self._target.video.waits_for(self):
            self._source.ask_keyframe()
        self._target.video.push(self, frame, timestamp, key=key)

    def close(self) -> None:
        source, target = self._source, self._target
        source.audio_taps.discard(self._audio)
        source.video_taps.discard(self._video)
        target.audio.drop(self)
        target.video.drop(self)
        target.on_keyframe_wanted = lambda: None
        target.on_bitrate = lambda _: None
        source.cap_bitrate(0)


class Bridge:
    """Open on creation; `close()` leaves both legs connected and silent."""

    def __init__(self, one: Leg, other: Leg) -> None:
        self._ways = (_Way(one, other), _Way(other, one))
        for way in self._ways:
            way.open()

    def close(self) -> None:
        for way in self._ways:
            way.close()
