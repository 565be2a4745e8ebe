"""Propose from captions what places pictures have, and write it down to be changed.

    python -m jobs.vocabulary run=runs/demo

Reads the captions and pictures of `<run>/data/train`, 20,000 at most, and writes `<run>/vocabulary.yaml`: places and
the words for them, the usual place, words without content, and words for nothing. With `atlas.vocabulary=auto`, the
default, the atlas takes that file where there is one. A file that is there is not written over.
"""

from jobs import prepare_data
from jobs.runtime.run_vocabulary import FILE, proposed, told, written
from jobs.runtime.stage import StageError, current, run_command, say
from swiggle.config import RunConfig
from swiggle.storage import filesystem_of, join


def write_vocabulary(config: RunConfig) -> None:
    """Write the proposal. Raises `StageError` where there is a file already, or no pictures are prepared."""
    current(prepare_data.STAGE, config, "vocabulary")
    file = join(config.run, FILE)
    if written(config) is not None:
        raise StageError(f"{file} is there already; remove it to have a vocabulary proposed anew")
    found = proposed(config)
    filesystem, path = filesystem_of(file)
    with filesystem.open_output_stream(path) as stream:
        stream.write(found.to_yaml().encode())
    say("vocabulary", f"{told(found)}; written to {file}, to be changed as you like")


if __name__ == "__main__":
    run_command(__doc__, write_vocabulary)
