from swiggle.config import RunConfig, SAEConfig, SweepConfig
from swiggle.sae.trials import grid, miss, name_of


def test_every_combination_once_with_the_knob_of_its_objective() -> None:
    config = RunConfig(
        sae=SAEConfig(lr=1e-3), sweep=SweepConfig(objectives=["l1", "topk"], l1=[0.5, 1.0], k=[8], seeds=[0, 1])
    )
    trials = grid(config)
    assert len(trials) == 2 * 2 + 2
    assert trials[0] == {"objective": "l1", "l1": 0.5, "features": 2048, "lr": 1e-3, "seed": 0}
    assert {t["k"] for t in trials if t["objective"] == "topk"} == {8}
    assert all("k" not in t for t in trials if t["objective"] == "l1")
    assert len({name_of(t) for t in trials}) == len(trials)


def test_a_miss_is_never_about_fvu_alone() -> None:
    sweep = SweepConfig(target_l0=20, tolerance=2)
    wanted = miss({"fvu": 0.05, "l0": 21.0}, sweep)
    assert wanted == miss({"fvu": 0.05, "l0": 18.5}, sweep)
    assert wanted < miss({"fvu": 0.01, "l0": 40.0}, sweep)  # a better FVU bought with twice the features
    assert wanted < miss({"fvu": 0.05, "l0": 14.0}, sweep)
    assert miss({"fvu": 0.04, "l0": 21.0}, sweep) < wanted
    assert miss({"fvu": 0.0, "l0": 20.0}, sweep) < wanted
