"""What a sparse autoencoder can be trained for: a file each, which is all that a new one needs.

The file's name is the objective's, its first line says what it is, and it has one class derived from
`swiggle.sae.objective.Objective`, which says what it is for and by which knob it is made sparser. Configuration, sweeps
and the table in docs/sae.md follow from that. Names are found without importing the files, which need torch.
"""

import pkgutil

from swiggle.errors import ConfigError, did_you_mean


def objective_names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def check_objective(name: str) -> str:
    """The name itself. Raises `ConfigError`, which says what there is, where no objective is called so."""
    if name not in (known := objective_names()):
        raise ConfigError(f"should be one of {', '.join(known)}{did_you_mean(name, known)}")
    return name
