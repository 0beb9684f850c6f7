"""The guard in front of aiortc: what an offer may contain, and what of it is passed on.

Fuzzing showed 200 m-lines and 2,000 candidates accepted (a second of the event loop), candidates that make the gateway
probe 127.0.0.1 (a blind SSRF), and `.local` names that block for a second each. So before aiortc sees an offer:

- at most 64 kB, 4 m-lines, 40 candidates; one audio and at most one video, DTLS-SRTP, bundled;
- only Opus, VP8 (with its rtx) and telephone-event survive; a data channel is refused by its absence;
- candidates to loopback, link-local, multicast, unspecified and cloud-metadata addresses are dropped, private ranges
  unless `allow_lan`, `.local` names always (the peer-reflexive candidate covers them).

Everything else raises `BadSdp`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from signaling.protocol import MAX_CANDIDATES, MAX_M_LINES, MAX_SDP_CHARS

_CODECS = {"audio": ("opus/48000", "telephone-event/8000"), "video": ("vp8/90000",)}
_PAYLOAD = re.compile(r"^(?:rtpmap|fmtp|rtcp-fb):(\d{1,3})[ :]")
_METADATA = {ip_address("169.254.169.254"), ip_address("fd00:ec2::254"), ip_address("100.100.100.200")}
_PROFILES = {"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF"}


class BadSdp(ValueError):
    """An offer or candidate that is refused; the text says why, in English, without quoting it."""


@dataclass(frozen=True, slots=True)
class Rules:
    allow_lan: bool = True
    allow_loopback: bool = False


def guard_offer(sdp: str, rules: Rules = Rules()) -> str:
    """The offer as aiortc may see it."""
    if len(sdp.encode()) > MAX_SDP_CHARS:
        raise BadSdp("larger than 64 kB")
    if "\x00" in sdp:
        raise BadSdp("not text")
    session, media = _sections(sdp)
    if not 1 <= len(media) <= MAX_M_LINES:
        raise BadSdp(f"{len(media)} m-lines")
    if sum(line.startswith("a=candidate:") for section in media for line in section) > MAX_CANDIDATES:
        raise BadSdp("too many candidates")
    _check_bundle(session, media)
    kept = [_guard_media(section, rules) for section in media]
    return "\r\n".join([*session, *(line for section in kept for line in section)]) + "\r\n"


def shorten_answer(sdp: str) -> str:
    """The answer as it travels: of aiortc's three fingerprints the one every client takes (RFC 8122), so that it is two
    TCP segments and not three: on a lossy line each costs a round trip in twenty calls."""
    return re.sub(r"a=fingerprint:sha-(?:384|512) .*\r\n", "", sdp)


def guard_candidate(candidate: str, rules: Rules = Rules()) -> str | None:
    """A trickled candidate (with or without `a=` and `candidate:`), or None when it is to be dropped silently.
    Empty means the end of candidates and stays empty."""
    text = candidate.strip().removeprefix("a=").removeprefix("candidate:").strip()
    return text if not text or _allowed(text, rules) else None


def _sections(sdp: str) -> tuple[list[str], list[list[str]]]:
    session: list[str] = []
    media: list[list[str]] = []
    for line in filter(None, (raw.strip() for raw in sdp.splitlines())):
        if len(line) < 2 or line[1] != "=":
            raise BadSdp("a line without type")
        if line.startswith("m="):
            media.append([])
        (media[-1] if media else session).append(line)
    if not session or session[0] != "v=0":
        raise BadSdp("no v=0")
    return session, media


def _check_bundle(session: list[str], media: list[list[str]]) -> None:
    mids = [line[6:] for section in media for line in section if line.startswith("a=mid:")]
    if len(mids) != len(media) or len(set(mids)) != len(mids):
        raise BadSdp("each m-line needs its own mid")
    groups = [line.split()[1:] for line in session if line.startswith("a=group:BUNDLE")]
    if len(media) > 1 and (len(groups) != 1 or set(groups[0]) != set(mids)):
        raise BadSdp("not bundled")
    kinds = [section[0][2:].split(" ")[0] for section in media]
    if (
        kinds.count("audio") != 1
        or kinds.count("video") > 1
        or len(kinds) != kinds.count("audio") + kinds.count("video")
    ):
        raise BadSdp("one audio and at most one video")


def _guard_media(section: list[str], rules: Rules) -> list[str]:
    head = section[0][2:].split(" ")
    if len(head) < 4 or head[2] not in _PROFILES:
        raise BadSdp("not DTLS-SRTP")
    kept = _kept_payloads(head[0], section)
    if not kept:
        raise BadSdp(f"no codec for {head[0]}")
    first = "m=" + " ".join([*head[:3], *kept])
    return [first, *(line for line in section[1:] if _keep(line, kept, rules))]


def _kept_payloads(kind: str, section: Iterable[str]) -> list[str]:
    """Payload types in the order of preference we answer with: the codec itself, then rtx or events."""
    names = {}
    retransmits = {}
    for line in section:
        if match := re.fullmatch(r"a=rtpmap:(\d{1,3}) ([\w\-]+/\d+)(?:/\d+)?", line):
            names[match[1]] = match[2].lower()
        if match := re.fullmatch(r"a=fmtp:(\d{1,3}) apt=(\d{1,3})", line):
            retransmits[match[1]] = match[2]
    main = [pt for wanted in _CODECS[kind] for pt, name in names.items() if name == wanted][:2]
    rtx = [pt for pt, apt in retransmits.items() if apt in main and names.get(pt) == "rtx/90000"]
    return main + rtx if any(names[pt] == _CODECS[kind][0] for pt in main) else []


def _keep(line: str, kept: list[str], rules: Rules) -> bool:
    if match := _PAYLOAD.match(line[2:]):
        return match[1] in kept
    if line.startswith("a=candidate:"):
        return _allowed(line[12:], rules)
    return True


def _allowed(candidate: str, rules: Rules) -> bool:
    parts = candidate.split()
    if len(parts) < 8 or parts[6] != "typ" or not parts[5].isdigit() or not 0 < int(parts[5]) < 65536:
        raise BadSdp("malformed candidate")
    if not (parts[1].isdigit() and parts[3].isdigit()) or parts[2].lower() != "udp" or parts[4].endswith(".local"):
        return False
    try:
        return _reachable(ip_address(parts[4]), rules)
    except ValueError:
        return False  # a host name: never resolved for a stranger


def _reachable(address: IPv4Address | IPv6Address, rules: Rules) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address in _METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if address.is_loopback:
        return rules.allow_loopback
    return rules.allow_lan or address.is_global
