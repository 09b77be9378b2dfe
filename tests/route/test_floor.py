from __future__ import annotations

import numpy as np
import pytest

from reelwise.errors import InputError
from reelwise.route.floor import area, curve, hold_floor, hold_share, share_at


def world(count, seed, *, sharp=2.0):
    rng = np.random.default_rng(seed)
    hard = rng.random(count)
    cheap = (rng.random(count) > hard * 0.6).astype(float)
    dear = (rng.random(count) < 0.9).astype(float)
    return hard + rng.normal(size=count) / sharp / 3, cheap, dear


def test_random_scores_have_half_the_area_and_the_oracle_more():
    _, cheap, dear = world(20_000, 0)

    assert area(np.random.default_rng(5).random(20_000), cheap, dear) == pytest.approx(0.5, abs=0.05)
    assert area(np.zeros(20_000), cheap, dear) == pytest.approx(0.5, abs=1e-6)
    assert area(dear - cheap, cheap, dear) > 1


def test_the_curve_starts_at_the_cheap_model_and_ends_at_the_dear_one():
    scores, cheap, dear = world(500, 1)
    reached = curve(scores, cheap, dear)

    assert (reached[0], reached[-1]) == pytest.approx((cheap.mean(), dear.mean()))
    assert share_at(scores, cheap, dear, 0.0) == 0
    assert reached[round(share_at(scores, cheap, dear, 0.97) * 500)] >= 0.97 * dear.mean()


def test_the_floor_holds_on_new_rows_in_95_of_100_tries():
    missed = 0
    for seed in range(200):
        scores, cheap, dear = world(2000, seed)
        floor = hold_floor(scores[:1000], cheap[:1000], dear[:1000], quality=0.95)
        assert floor.cut is not None
        sent = scores[1000:] > floor.cut
        missed += np.where(sent, dear[1000:], cheap[1000:]).mean() < 0.95 * dear[1000:].mean()

    assert missed <= 17  # 10 are expected at most; 17 or more come by chance in 1 of 50


def test_the_share_that_is_said_is_the_share_that_is_sent():
    scores, cheap, dear = world(1000, 3)
    floor = hold_floor(scores, cheap, dear, quality=0.9, ahead=0)

    assert floor.cut is not None
    assert (scores > floor.cut).mean() == pytest.approx(floor.dear_share)
    assert floor.kept >= floor.kept_lower >= 0.9
    assert [floor.to_dear(one) for one in scores] == list(scores > floor.cut)


def test_a_longer_promise_is_dearer_than_the_long_run():
    scores, cheap, dear = world(1000, 4)
    shares = [hold_floor(scores, cheap, dear, quality=0.95, ahead=n).dear_share for n in (0, 1000, 100)]

    assert shares == sorted(shares)


def test_where_nothing_is_proved_everything_goes_to_the_dear_model():
    floor = hold_floor(np.zeros(20), np.zeros(20), np.ones(20), quality=0.99)

    assert floor.cut is None
    assert floor.dear_share == 1
    assert floor.to_dear(-1e9)


def test_where_the_cheap_model_is_as_good_nothing_goes_to_the_dear_one():
    floor = hold_floor(np.arange(500.0), np.ones(500), np.ones(500), quality=0.9)

    assert floor.dear_share == 0
    assert not floor.to_dear(499.0)


@pytest.mark.parametrize(("quality", "risk"), [(0.0, 0.1), (1.1, 0.1), (0.9, 0.0), (float("nan"), 0.1)])
def test_shares_outside_are_refused(quality, risk):
    with pytest.raises(InputError):
        hold_floor(np.zeros(50), np.zeros(50), np.ones(50), quality=quality, risk=risk)


def test_a_given_share_is_kept_to_and_what_is_proved_there_holds_on_new_rows():
    missed, proved = 0, []
    for seed in range(200):
        scores, cheap, dear = world(2000, seed)
        floor = hold_share(scores[:1000], cheap[:1000], dear[:1000], share=0.3)
        assert floor.dear_share <= 0.3
        assert floor.kept_lower == floor.quality < floor.kept
        sent = scores[1000:] > floor.cut
        missed += np.where(sent, dear[1000:], cheap[1000:]).mean() < floor.quality * dear[1000:].mean()
        proved.append(floor.quality)

    assert missed <= 17  # 10 are expected at most; 17 or more come by chance in 1 of 50
    assert np.std(proved) > 0


def test_a_given_share_proves_more_the_more_it_is():
    scores, cheap, dear = world(1000, 4)
    found = [hold_share(scores, cheap, dear, share=share).quality for share in (0.0, 0.1, 0.3, 0.6)]

    assert found == sorted(found)
    assert hold_share(scores, cheap, dear, share=1.0).cut is None
    assert not hold_share(scores, cheap, dear, share=0.0).to_dear(scores.max())
    assert hold_share(scores, cheap, dear, share=0.3, ahead=0).quality > found[2], "the long run has no luck of its own"


def test_rows_of_one_score_go_one_way_and_never_beyond_the_share():
    _, cheap, dear = world(1000, 5)
    floor = hold_share(np.repeat([2.0, 1.0, 0.0], [100, 800, 100]), cheap, dear, share=0.5)

    assert floor.dear_share == 0.1
    assert (floor.to_dear(2.0), floor.to_dear(1.0)) == (True, False)


@pytest.mark.parametrize("settings", [{"share": -0.1}, {"share": 1.1}, {"share": 0.2, "risk": 0.0}])
def test_a_share_that_cannot_be_is_refused(settings):
    scores, cheap, dear = world(100, 6)
    with pytest.raises(InputError):
        hold_share(scores, cheap, dear, **settings)
    with pytest.raises(InputError):
        hold_share(scores, cheap[1:], dear, share=0.2)
