"""Whether the map of features keeps the slots apart."""

import numpy as np
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 10


def map_separation(positions: np.ndarray, slots: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    """`purity_<name>`: of a feature's ten nearest on the map, the share of its own slot, mean over the features of the
    slot; `purity`, the mean over slots, and `chance`, the same if neighbours were drawn at random; `silhouette`
    (Rousseeuw 1987) of the slots on the map. positions: [n, 2]; slots: int [n], indices of names."""
    count = min(NEIGHBOURS, len(positions) - 1)
    found = NearestNeighbors(n_neighbors=count).fit(positions).kneighbors(return_distance=False)
    own = (slots[found] == slots[:, None]).mean(axis=1)
    present = np.unique(slots)
    by_slot = {names[slot]: float(own[slots == slot].mean()) for slot in present}
    share = [((slots == slot).sum() - 1) / max(1, len(slots) - 1) for slot in present]
    return {
        **{f"purity_{name}": value for name, value in by_slot.items()},
        "purity": float(np.mean(list(by_slot.values()))),
        "chance": float(np.mean(share)),
        "silhouette": float(silhouette_score(positions, slots)) if len(present) > 1 else float("nan"),
    }
