"""Lines of progress in a file and on a terminal."""

import io
import sys

import pytest

from jobs.runtime.screen import Screen

LINES = [
    "[10:00:00] train_vae: started",
    "[10:00:10] train_vae: step 1/9, 2.0 min left",
    "[10:00:15] train_vae: step 2: validation 20.00 dB",
    "[10:00:20] train_vae: step 3/9, 1.0 min left",
    "[10:00:30] train_vae: done in 30 s: psnr 30",
    "[10:00:30] encode_latents: started",
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_file_has_all_lines_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    for line in LINES:
        screen.show(line)
    assert capsys.readouterr().out.splitlines() == LINES


def drawn(written: str) -> list[str]:
    """What stands on a terminal in the end: a line is wiped by a carriage return and an erasure."""
    lines = [""]
    for piece in written.split("\r\x1b[K"):
        first, *others = piece.split("\n")
        lines[-1] = first
        lines += others
    return lines


def test_on_a_terminal_progress_stays_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "44")
    screen = Screen()
    for line in LINES[:4]:
        screen.show(line)
    # Below what stays; cut, for a line that wraps could not be wiped out.
    assert drawn(terminal.getvalue()) == [LINES[0], LINES[2], LINES[3][:43]]
    for line in LINES[4:]:
        screen.show(line)
    assert drawn(terminal.getvalue()) == [LINES[0], LINES[2], LINES[4], LINES[5], ""]
