"""A child process: write audio and video anew.

`voice`: any browser's recording (webm/opus, mp4/aac, ogg, wav, mp3) becomes AAC mono in MP4, which every phone plays
(Safari plays no webm, old Android no Ogg), with its length, a waveform and, on request, 16 kHz samples to transcribe.
`media`: a sent audio or video file keeps its coded streams and loses its container: titles, places (©xyz), cover
pictures, subtitles, attachments and trailing bytes.
"""

from pathlib import Path
from typing import Any

import av
import numpy as np

from gateway.files.child import MEBIBYTE, Unfit, limit, report

VOICE_HZ = 32_000
VOICE_BITS_PER_S = 48_000
SPEECH_HZ = 16_000
MAX_VOICE_S = 300
WAVEFORM_BARS = 64
QUIET_DBFS = -50.0
MEMORY = 1536 * MEBIBYTE  # FFmpeg's libraries alone map about 400 MiB
CPU_S = 60
BITEXACT = {"fflags": "+bitexact", "movflags": "+faststart"}
CONTAINERS = {"audio/mpeg": "mp3", "audio/ogg": "ogg", "video/webm": "webm", "audio/mp4": "mp4", "video/mp4": "mp4"}
INPUTS = {"format_whitelist": "mov,matroska,webm,ogg,mp3,wav,aac", "protocol_whitelist": "file"}
"""No playlist formats: FFmpeg would open whatever file or address they name."""


def work(order: dict[str, Any]) -> dict[str, Any]:
    """`source` and `target` are paths; `media_type` says what is to be written, `becomes` how."""
    with av.open(order["source"], options=INPUTS, metadata_errors="ignore") as source:
        if order["becomes"] == "voice":
            return voice(source, Path(order["target"]), Path(order["speech"]))
        return media(source, Path(order["target"]), order["media_type"])


def voice(source: Any, target: Path, speech: Path) -> dict[str, Any]:
    """Transcode; gives duration_ms and waveform, and leaves the samples (s16, mono, 16 kHz) in `speech`."""
    if not source.streams.audio:
        raise Unfit("file_type")
    samples = _decode(source)
    if samples.size == 0:
        raise Unfit("file_broken")
    _encode(samples, target)
    _at_speech_rate(samples).tofile(speech)
    return {"duration_ms": round(samples.size * 1000 / VOICE_HZ), "waveform": waveform(samples)}


def _decode(source: Any) -> np.ndarray:
    """The first audio stream as s16 mono at VOICE_HZ. A damaged packet in the middle is left out, not fatal."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=VOICE_HZ)
    pieces, total = [], 0
    for packet in source.demux(source.streams.audio[0]):
        for frame in _frames(packet):
            for piece in resampler.resample(frame):
                pieces.append(piece.to_ndarray()[0])
                total += pieces[-1].size
        if total > MAX_VOICE_S * VOICE_HZ:
            raise Unfit("file_too_large")
    pieces.extend(piece.to_ndarray()[0] for piece in resampler.resample(None))
    return np.concatenate(pieces) if pieces else np.empty(0, np.int16)


def _frames(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        return []


def _encode(samples: np.ndarray, target: Path) -> None:
    with av.open(str(target), "w", format="mp4", options=BITEXACT) as output:
        stream = output.add_stream("aac", rate=VOICE_HZ, layout="mono")
        stream.bit_rate = VOICE_BITS_PER_S
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = VOICE_HZ, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def _at_speech_rate(samples: np.ndarray) -> np.ndarray:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SPEECH_HZ)
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = VOICE_HZ
    return np.concatenate([piece.to_ndarray()[0] for part in (frame, None) for piece in resampler.resample(part)])


def waveform(samples: np.ndarray) -> list[int]:
    """Loudness of up to 64 equal stretches, 0 (≤ -50 dBFS) to 100 (full scale), by RMS."""
    bars = np.array_split(samples.astype(np.float64) / 32768.0, min(WAVEFORM_BARS, samples.size))
    rms = np.array([np.sqrt(np.mean(bar**2)) for bar in bars])
    dbfs = 20 * np.log10(np.maximum(rms, 1e-9))
    return [int(round(100 * min(1.0, max(0.0, 1 - level / QUIET_DBFS)))) for level in dbfs]


def media(source: Any, target: Path, media_type: str) -> dict[str, Any]:
    """Copy the coded audio and video into a new container. Uncompressed or bare AAC audio is encoded as MP4."""
    if source.format.name in ("wav", "aac"):
        samples = _decode(source)
        _encode(samples, target)
        return {"duration_ms": round(samples.size * 1000 / VOICE_HZ)}
    streams = [s for s in (*source.streams.video, *source.streams.audio) if not _is_cover(s)]
    if not streams:
        raise Unfit("file_broken")
    with av.open(str(target), "w", format=CONTAINERS[media_type], options=BITEXACT) as output:
        copies = {stream.index: output.add_stream_from_template(stream) for stream in streams}
        for copy in copies.values():
            copy.metadata.clear()
        last = _copy_packets(source, streams, copies, output)
    if last <= 0:
        raise Unfit("file_broken")
    return {"duration_ms": round(last * 1000)}


def _copy_packets(source: Any, streams: list[Any], copies: dict[int, Any], output: Any) -> float:
    """The end of the last packet, in seconds."""
    last = 0.0
    for packet in source.demux(streams):
        if packet.dts is None:
            continue
        last = max(last, float((packet.pts or packet.dts) + (packet.duration or 0)) * float(packet.time_base))
        packet.stream = copies[packet.stream.index]
        output.mux(packet)
    return last


def _is_cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


if __name__ == "__main__":
    limit(memory=MEMORY, cpu_s=CPU_S, output=128 * MEBIBYTE)
    av.logging.set_level(av.logging.PANIC)
    report(work, too_big="file_too_large")
