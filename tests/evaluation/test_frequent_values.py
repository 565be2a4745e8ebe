import numpy as np

from swiggle.evaluation.frequent_values import frequent_values
from tests.toy_composition import Toy


def test_a_hundredth_is_frequent_and_less_is_not() -> None:
    traits = np.zeros((1_000, 3), int)
    traits[:10, 2], traits[10:19, 2] = 1, 2
    assert frequent_values(Toy(), "hat", traits).tolist() == [True, True, False, False]
    assert frequent_values(Toy(), "ground", traits).tolist() == [True, False]
