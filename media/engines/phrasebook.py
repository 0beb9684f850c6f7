"""The phrasebook: pocketsphinx choosing among known sentences. No weights to fetch, for a phone menu by voice.

A JSGF grammar is compiled from the phrases; Mandarin is spelled in the English phones of the wheel's model through
pinyin. It cannot say "that was something else": every answer carries `confirm`, and the dialogue asks back
before acting.
"""

import re
from collections.abc import Iterator
from typing import Any

from media.audio import EAR_HZ, AudioChunk, Samples
from media.engines.hearing import Utterance
from media.engines.workers import Workers
from media.ports import Language, Transcript

MOST = 120
"""Phrases of a language; more only confuse it."""
SHORTEST_S, LONGEST_S = 0.25, 8.0
PADDING = bytes(EAR_HZ // 4 * 2)
CJK = re.compile(r"[\u4e00-\u9fff]")
INITIALS = {
    "b": "B", "p": "P", "m": "M", "f": "F", "d": "D", "t": "T", "n": "N", "l": "L", "g": "G", "k": "K", "h": "HH",
    "j": "JH", "q": "CH", "x": "SH", "zh": "JH", "ch": "CH", "sh": "SH", "r": "R", "z": "D Z", "c": "T S", "s": "S",
    "": "",
}  # fmt: skip
FINALS = {
    "a": "AA", "o": "AO", "e": "AH", "i": "IY", "u": "UW", "v": "Y UW", "ai": "AY", "ei": "EY", "ao": "AW", "ou": "OW",
    "an": "AE N", "en": "AH N", "ang": "AA NG", "eng": "AH NG", "ong": "UH NG", "er": "AA R", "ia": "Y AA",
    "ie": "Y EH", "iao": "Y AW", "iou": "Y OW", "ian": "Y EH N", "in": "IY N", "iang": "Y AA NG", "ing": "IY NG",
    "iong": "Y UH NG", "ua": "W AA", "uo": "W AO", "uai": "W AY", "uei": "W EY", "uan": "W AA N", "uen": "W AH N",
    "uang": "W AA NG", "ueng": "W AH NG", "ve": "Y EH", "van": "Y EH N", "vn": "Y UH N", "ê": "EH", "io": "Y AO",
}  # fmt: skip
BUZZED = {"zh": "ER", "ch": "ER", "sh": "ER", "r": "ER", "z": "IH", "c": "IH", "s": "IH"}
"""What the final -i is after these."""


def syllables(text: str) -> Iterator[str]:
    """The phones of each hanzi: 宝 -> "B AW"."""
    from pypinyin import Style, pinyin

    hanzi = "".join(CJK.findall(text))
    initials, finals = (pinyin(hanzi, style=style, strict=True) for style in (Style.INITIALS, Style.FINALS))
    for (initial,), (final,) in zip(initials, finals, strict=True):
        sound = BUZZED[initial] if final == "i" and initial in BUZZED else FINALS.get(final, "AH")
        yield f"{INITIALS.get(initial, '')} {sound}".strip()


class Grammar:
    """One language's decoder; blocking, used by one thread.

    Each phrase is one long word of the dictionary: the search can then end only at the end of a phrase, where a
    grammar of short words would end nowhere and give no answer.
    """

    def __init__(self, phrases: tuple[str, ...], language: Language) -> None:
        import pocketsphinx

        model = f"{pocketsphinx.get_model_path()}/en-us/"
        dictionary = model + "cmudict-en-us.dict" if language == "en" else None
        self._decoder: Any = pocketsphinx.Decoder(hmm=model + "en-us", dict=dictionary, lm=None, loglevel="FATAL")
        spell = self._english if language == "en" else _mandarin
        self.phrases: dict[str, str] = {}
        for text in phrases[:MOST]:
            if phones := spell(text):
                word = f"phrase-{len(self.phrases)}"
                self._decoder.add_word(word, phones, True)
                self.phrases[word] = text
        if self.phrases:
            lines = " | ".join(self.phrases)
            self._decoder.add_jsgf_string("book", f"#JSGF V1.0;\ngrammar book;\npublic <line> = {lines};\n")
            self._decoder.activate_search("book")

    def _english(self, text: str) -> str:
        """Phones; empty when a word is not in the dictionary."""
        found = [self._decoder.lookup_word(word) for word in re.findall(r"[a-z']+", text.lower())]
        return " ".join(found) if all(found) else ""

    def hear(self, samples: Samples) -> str:
        """The phrase said, or nothing."""
        if not self.phrases or not SHORTEST_S <= len(samples) / EAR_HZ <= LONGEST_S:
            return ""
        self._decoder.start_utt()
        self._decoder.process_raw(PADDING + samples.tobytes() + PADDING, full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        return self.phrases.get(found.hypstr, "") if found else ""


def _mandarin(text: str) -> str:
    """Phones; empty when it holds anything but hanzi."""
    return "" if re.search(r"[A-Za-z0-9]", text) else " ".join(syllables(text))


class PhrasebookStream:
    def __init__(self, engine: "PhrasebookRecognizer", language: Language) -> None:
        self._engine, self._language, self._heard = engine, language, Utterance()

    def feed(self, chunk: AudioChunk) -> None:
        self._heard.feed(chunk)

    async def partial(self) -> Transcript | None:
        """A menu choice makes no sense half said."""
        return None

    async def final(self) -> Transcript:
        grammar = self._engine.grammars[self._language]
        text = await self._engine.workers.run(grammar.hear, self._heard.samples())
        return Transcript(text, final=True, language=self._language, confirm=True)

    def close(self) -> None:
        self._heard.close()


class PhrasebookRecognizer:
    name = "phrasebook"

    def __init__(self, phrases: tuple[str, ...]) -> None:
        self.grammars: dict[Language, Grammar] = {
            "zh": Grammar(tuple(p for p in phrases if CJK.search(p)), "zh"),
            "en": Grammar(tuple(p for p in phrases if not CJK.search(p)), "en"),
        }
        self.workers = Workers("phrasebook")

    def stream(self, language: Language, hotwords: tuple[str, ...] = ()) -> PhrasebookStream:
        return PhrasebookStream(self, language)

    async def close(self) -> None:
        self.workers.close()
