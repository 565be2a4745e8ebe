from swiggle.training.patience import ENOUGH, Patience


def test_it_is_over_after_so_many_validations_without_improvement() -> None:
    patience = Patience(2)
    seen = []
    for score in (20.0, 21.0, 21.0 + ENOUGH / 2, 20.0):
        seen.append(patience.over)
        patience.see(score)
    assert seen == [False] * 4
    assert patience.over
    assert (patience.best, patience.waited) == (21.0, 2)


def test_an_improvement_starts_the_count_anew() -> None:
    patience = Patience(2)
    for score in (20.0, 19.0, 21.0, 19.0, float("nan")):
        assert not patience.over
        patience.see(score)
    assert patience.over


def test_its_state_goes_on_where_it_was() -> None:
    patience = Patience(3)
    for score in (20.0, 19.0):
        patience.see(score)
    assert Patience(**patience.state()) == patience
