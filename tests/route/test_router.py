from __future__ import annotations

import datetime as dt
import json

import pytest

from reelwise.charge import Ask
from reelwise.errors import DocumentError, InputError, UnknownModelError
from reelwise.rates import Book
from reelwise.route.router import Router
from reelwise.route.rules import Rule

from .conftest import drawn

DAY = dt.date(2026, 11, 23)


@pytest.fixture(scope="module")
def router(outcomes):
    return Router.train(outcomes, cheap="gpt-4o-mini", dear="gpt-4o", quality=0.9)


def test_hard_words_go_to_the_dear_model_and_easy_ones_do_not(router):
    assert router.choose("prove why integral the man dog car street?").model == "gpt-4o"
    easy = router.choose("colour name count the man dog car street?")
    assert (easy.model, easy.by) == ("gpt-4o-mini", "score")
    assert easy.score <= router.saved.floor.cut


def test_the_floor_holds_on_other_rows_with_far_fewer_dear_calls(router):
    other = drawn(1000, seed=9).rows
    chosen = [router.choose(row.text).model == "gpt-4o" for row in other]
    kept = sum(row.dear if dear else row.cheap for row, dear in zip(other, chosen, strict=True))

    assert kept >= 0.9 * sum(row.dear for row in other)
    assert sum(chosen) < 600


def test_a_rule_comes_first(router):
    rules = (Rule(name="safety", to="dear", words=("weapon",)), Rule(name="free tier", to="cheap", tag="free"))
    ruled = Router(router.saved, rules)

    assert ruled.choose("colour of the WEAPON?").reason == "rule safety"
    assert ruled.choose("colour of the weapons?").by == "score"
    assert ruled.choose("prove why?", tags={"free"}).model == "gpt-4o-mini"


def test_the_price_of_this_request_decides_where_the_small_model_costs_more(router):
    book = Book.load(DAY)
    one = {"stills": ((1024, 1024),) * 4, "text_bytes": 20, "tokens_output": 20}
    asks = {name: Ask(model=name, **one) for name in ("gpt-4o-mini", "gpt-4o")}
    picture = router.choose("colour name count?", asks=asks, book=book)
    words = router.choose(
        "colour name count?",
        asks={name: Ask(model=name, text_bytes=2000, tokens_output=500) for name in asks},
        book=book,
    )

    assert picture.nano["gpt-4o"] <= picture.nano["gpt-4o-mini"]
    assert (picture.model, picture.by) == ("gpt-4o", "price")
    assert words.by == "score"
    assert words.nano["gpt-4o"] > words.nano["gpt-4o-mini"]


def test_an_unknown_price_is_an_error(router):
    asks = {
        "gpt-4o-mini": Ask(model="gpt-4o-mini", text_bytes=5, tokens_output=5),
        "gpt-4o": Ask(model="no-such-model"),
    }
    with pytest.raises(UnknownModelError):
        router.choose("colour?", asks=asks, book=Book.load(DAY))
    with pytest.raises(InputError, match="no request for gpt-4o"):
        router.choose("colour?", asks={"gpt-4o-mini": asks["gpt-4o-mini"]}, book=Book.load(DAY))


def test_the_file_is_small_the_same_every_time_and_read_back(router, outcomes, tmp_path):
    router.save(tmp_path / "a.json")
    Router.train(outcomes, cheap="gpt-4o-mini", dear="gpt-4o", quality=0.9).save(tmp_path / "b.json")

    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").stat().st_size < 400_000
    assert Router.load(tmp_path / "a.json").choose("prove it?") == router.choose("prove it?")


@pytest.mark.parametrize("damage", ["version", "kind", "cut", "weights", "nonsense"])
def test_a_file_of_another_version_or_a_damaged_one_is_a_named_error(router, tmp_path, damage):
    path = tmp_path / "router.json"
    router.save(path)
    plain = json.loads(path.read_text())
    if damage == "version":
        plain["version"] = 99
    elif damage == "kind":
        plain["kind"] = "cascade"
    elif damage == "cut":
        plain["floor"]["cut"] = "high"
    elif damage == "weights":
        plain["learned"]["words_gain"]["weights"].pop()
    path.write_text("{" if damage == "nonsense" else json.dumps(plain))

    with pytest.raises(DocumentError) as caught:
        Router.load(path)

    assert str(path) in caught.value.where
    assert "router train" in caught.value.hint


def test_too_few_rows_and_rows_without_a_choice_are_refused():
    with pytest.raises(InputError):
        Router.train(drawn(20), cheap="a", dear="b")
    same = drawn(200)
    rows = tuple(type(row)(text=row.text, cheap=row.cheap, dear=row.cheap) for row in same.rows)
    with pytest.raises(InputError, match="nothing to choose"):
        Router.train(type(same)(rows=rows, columns=same.columns, sha256=""), cheap="a", dear="b")


def test_a_rule_without_a_condition_is_refused(router):
    with pytest.raises(InputError):
        Router(router.saved, (Rule(name="all", to="cheap"),))
