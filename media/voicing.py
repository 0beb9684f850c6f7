"""PURE: from probabilities of speech, frame by frame, to stretches of voice and of silence. Seconds of audio."""

from dataclasses import dataclass, replace

ON, OFF = 0.4, 0.3
"""Speech begins at ON and goes on until below OFF."""


@dataclass(frozen=True, slots=True)
class Voicing:
    """`voiced`: seconds of voice since `began`. `gap`: seconds of silence since the last voice, which ended at
    `ended`. `began` and `ended` are on the clock of the events."""

    voiced: float = 0.0
    gap: float = 0.0
    began: float = 0.0
    ended: float = 0.0

    @property
    def now(self) -> bool:
        """The last frame was voice."""
        return self.voiced > 0 and self.gap == 0

    def hear(self, at: float, seconds: float, speech: float) -> "Voicing":
        """`at`: the end of the frame, `seconds` long; one of no length says nothing."""
        if not seconds:
            return self
        if speech < (OFF if self.now else ON):
            return replace(self, gap=self.gap + seconds) if self.voiced else self
        began = self.began if self.voiced else at - seconds
        return Voicing(self.voiced + seconds, 0.0, began, at)

    def settled(self, forget: float) -> "Voicing":
        """What was too short to mean anything is forgotten after `forget` seconds of silence."""
        return Voicing(ended=self.ended) if self.gap > forget else self
