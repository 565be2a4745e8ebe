"""What the first worker shows while a VAE trains: the live line, the curves and the speed."""

import tempfile
import time
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from jobs.runtime.prometheus import Gauges, run_of
from jobs.runtime.stage import say
from swiggle.config import VAEConfig
from swiggle.storage import copy_into, is_local, local_path
from swiggle.training.vae_events import training_psnr, write_step
from swiggle.training.vae_training import StepReport

LINE_SECONDS = 10.0


class EventFiles:
    """TensorBoard's event files at a URI. Its writer knows local files only: for other places they are copied."""

    def __init__(self, uri: str, first_step: int | None = None) -> None:
        """Points after `first_step` that an earlier writer left are hidden by TensorBoard."""
        purge_from = None if first_step is None else first_step + 1
        self._uri = uri
        self._folder = None if is_local(uri) else tempfile.TemporaryDirectory(prefix="swiggle-")
        folder = str(local_path(uri)) if self._folder is None else self._folder.name
        self.writer = SummaryWriter(folder, purge_step=purge_from)

    def keep(self) -> None:
        """Bring to the URI what was written so far."""
        self.writer.flush()
        if self._folder is not None:
            copy_into(Path(self._folder.name), self._uri)

    def close(self) -> None:
        self.keep()
        self.writer.close()


class Watch:
    def __init__(self, config: VAEConfig, uri: str, first_step: int) -> None:
        self.events = EventFiles(uri, first_step)
        self._metrics = Gauges("train", run=run_of(uri))
        self._config = config
        self._now = 0.0
        self._line = (first_step, time.monotonic())
        self._warm = (first_step, time.monotonic())
        self._warm_step = first_step + (config.steps - first_step) // 2

    def step(self, step: int, report: StepReport) -> None:
        """After each step: say something every few seconds."""
        if step == self._warm_step:
            self._warm = (step, time.monotonic())
        if time.monotonic() - self._line[1] < LINE_SECONDS and step != self._config.steps:
            return
        self._now = self._rate(step, self._line)
        self._line = (step, time.monotonic())
        left = (self._config.steps - step) * self._config.batch_size / self._now / 60
        say(
            "train_vae",
            f"step {step}/{self._config.steps}, {self._now:,.0f} images/s, loss {report.loss.item():.5f}, "
            f"{training_psnr(report.error.item()):.1f} dB, {left:.1f} min left",
        )

    def point(self, step: int, report: StepReport) -> None:
        """The curves' point at a step, from what all workers saw."""
        speed = self._now or self._rate(step, self._line)
        write_step(self.events.writer, step, report, speed)
        psnr = training_psnr(report.error.item())
        self._metrics.set(step=step, images_per_second=speed, loss=report.loss.item(), psnr=psnr)

    def images_per_second(self, step: int) -> float:
        """Over the second half of the steps since the start or the last resumption: a cluster takes a while to calm."""
        return self._rate(step, self._warm)

    def _rate(self, step: int, since: tuple[int, float]) -> float:
        return (step - since[0]) * self._config.batch_size / (time.monotonic() - since[1])
