"""The guard in front of aiortc."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.sdp import BadSdp, Rules, guard_candidate, guard_offer, shorten_answer

CHROME = """v=0
o=- 5 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 2f4a9a5e.local 50001 typ host generation 0
a=candidate:2 1 udp 2113937151 192.0.2.7 50002 typ host generation 0
a=candidate:3 1 tcp 1518280447 192.0.2.7 9 typ host tcptype active
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:abcdefghijklmnopqrstuvwx
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=mid:1
a=sendrecv
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=fmtp:103 level-asymmetry-allowed=1
a=rtpmap:104 rtx/90000
a=fmtp:104 apt=103
"""


def _with_candidates(*addresses: str) -> str:
    lines = "".join(f"a=candidate:9 1 udp 1 {address} 50000 typ host\n" for address in addresses)
    return CHROME.replace("a=ice-ufrag:abcd\n", lines + "a=ice-ufrag:abcd\n", 1)


def test_only_our_codecs_survive() -> None:
    guarded = guard_offer(CHROME)
    assert "m=audio 9 UDP/TLS/RTP/SAVPF 111 126\r\n" in guarded
    assert "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" in guarded
    for gone in ("H264", "PCMU", "red/48000", "apt=103", "telephone-event/48000"):
        assert gone not in guarded


def test_names_and_tcp_are_dropped_and_udp_stays() -> None:
    guarded = guard_offer(CHROME)
    assert ".local" not in guarded
    assert "tcptype" not in guarded
    assert "192.0.2.7 50002 typ host" in guarded


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "0.0.0.0", "::", "169.254.169.254", "fe80::1", "::ffff:127.0.0.1", "224.0.0.1", "localhost"],
)
def test_a_candidate_cannot_aim_us_at_ourselves(address: str) -> None:
    assert f" {address} 50000" not in guard_offer(_with_candidates(address))
    assert guard_candidate(f"candidate:1 1 udp 1 {address} 5000 typ host") is None


def test_private_ranges_only_on_a_lan() -> None:
    candidate = "candidate:1 1 udp 1 10.0.0.5 5000 typ host"
    assert guard_candidate(candidate) is not None
    assert guard_candidate(candidate, Rules(allow_lan=False)) is None
    assert guard_candidate(candidate.replace("10.0.0.5", "127.0.0.1"), Rules(allow_loopback=True)) is not None


def test_the_end_of_candidates_stays() -> None:
    assert guard_candidate("") == ""


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "hello",
        CHROME.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        CHROME.replace("a=mid:1\n", ""),
        CHROME.replace("a=group:BUNDLE 0 1\n", ""),
        CHROME.replace("opus", "speex"),
        CHROME + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:2\n",
        CHROME + "a=" + "x" * 70_000,
        _with_candidates(*["192.0.2.9"] * 41),
        CHROME + "m=video 9 UDP/TLS/RTP/SAVPF 96\n" * 4,
    ],
)
def test_what_is_refused(broken: str) -> None:
    with pytest.raises(BadSdp):
        guard_offer(broken)


@given(st.text(max_size=400))
def test_any_text_is_an_offer_or_bad(text: str) -> None:
    with contextlib.suppress(BadSdp):
        guard_offer(text)


@given(st.integers(0, 2**32))
def test_any_mutation_is_an_offer_or_bad(seed: int) -> None:
    with contextlib.suppress(BadSdp):
        guard_offer(mutated(CHROME, random.Random(seed)))


def mutated(sdp: str, rng: random.Random) -> str:
    """One to five lines dropped, doubled, cut, swapped or scribbled on."""
    lines = sdp.split("\n")
    for _ in range(rng.randint(1, 5)):
        i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                lines[i] = ""
            case 1:
                lines.insert(j, lines[i])
            case 2:
                lines[i] = lines[i][: rng.randrange(len(lines[i]) + 1)]
            case 3:
                lines[i], lines[j] = lines[j], lines[i]
            case _:
                at = rng.randrange(len(lines[i]) + 1)
                lines[i] = lines[i][:at] + chr(rng.randrange(1, 0x300)) + lines[i][at:]
    return "\n".join(lines)


def test_an_answer_keeps_one_fingerprint_a_section() -> None:
    lines = [f"a=fingerprint:sha-{bits} AB:CD" for bits in (256, 384, 512)]
    answer = "\r\n".join(["v=0", "m=audio 9", *lines, "a=setup:active", "m=video 9", *lines, "a=setup:active", ""])
    kept = ["v=0", "m=audio 9", lines[0], "a=setup:active", "m=video 9", lines[0], "a=setup:active", ""]
    assert shorten_answer(answer) == "\r\n".join(kept)
