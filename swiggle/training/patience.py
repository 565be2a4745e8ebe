"""When to stop: once validation has not improved for a while."""

import math
from dataclasses import asdict, dataclass

ENOUGH = 0.02
"""dB that count as an improvement. With 0 a run goes on for gains that nobody sees; with more it stops while it still
gains that much at each of its last validations."""


@dataclass
class Patience:
    """A record of validations; travels in checkpoints, so that a resumed run stops where an unbroken one would."""

    allowed: int
    """Validations without improvement after which it is over."""
    best: float = -math.inf
    """The score that the others are compared with, in dB."""
    waited: int = 0
    """Validations since."""

    @property
    def over(self) -> bool:
        return self.waited >= self.allowed

    def see(self, score: float) -> None:
        if score > self.best + ENOUGH:
            self.best, self.waited = score, 0
        else:
            self.waited += 1

    def state(self) -> dict[str, float]:
        """Numbers only, fit for a `weights_only` load."""
        return asdict(self)
