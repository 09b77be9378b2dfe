from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from reelwise.errors import EndpointError, InputError
from reelwise.reuse import Artifacts, ExactCache, FrameReuse, Hit, Miss, Pixels, SemanticCache, request_key

NAME = "ab" * 32


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


# the exact cache


def test_a_key_needs_pixels_and_never_takes_an_address():
    for wrong in ("https://example.com/a.mp4", "clip.mp4", "s3://bucket/key", "AB" * 32):
        with pytest.raises(InputError, match="no name of pixels"):
            request_key(wrong, "m", "p")


def test_a_key_changes_with_each_part_and_not_with_the_order_of_settings():
    base = request_key(NAME, "m", "p", {"a": 1, "b": 0.5})
    others = [
        request_key("cd" * 32, "m", "p", {"a": 1, "b": 0.5}),
        request_key(NAME, "n", "p", {"a": 1, "b": 0.5}),
        request_key(NAME, "m", "q", {"a": 1, "b": 0.5}),
        request_key(NAME, "m", "p", {"a": 1, "b": 0.6}),
        request_key(NAME, "mp", "", {"a": 1, "b": 0.5}),
    ]

    assert base == request_key(NAME, "m", "p", {"b": 0.5, "a": 1})
    assert len({base, *others}) == 6
    for bad in ({"a": float("nan")}, {"a": [float("inf")]}, {"a": object()}):
        with pytest.raises(InputError):
            request_key(NAME, "m", "p", bad)


def test_pixels_are_named_by_what_is_in_them():
    picture = np.zeros((4, 6), np.uint8)
    names = []
    for change in (None, (0, 0), "turned", "later"):
        pixels, one = Pixels(), picture.copy()
        if isinstance(change, tuple):
            one[change] = 1
        pixels.add(one.reshape(6, 4) if change == "turned" else one, seconds=1.0 if change == "later" else 0.0)
        names.append(pixels.name())

    assert len(set(names)) == 4
    with pytest.raises(InputError):
        Pixels().name()


def test_a_call_is_made_once_and_an_error_is_never_kept(tmp_path):
    calls = []

    def call():
        calls.append(1)
        if len(calls) == 1:
            raise EndpointError("overloaded")
        return b"answer"

    with ExactCache(tmp_path / "c.db") as cache:
        with pytest.raises(EndpointError):
            cache.answer("k", call)
        assert cache.get("k") is None
        assert [cache.answer("k", call) for _ in range(3)] == [(b"answer", False), (b"answer", True), (b"answer", True)]
    with ExactCache(tmp_path / "c.db") as cache:
        assert cache.answer("k", call) == (b"answer", True)
    assert len(calls) == 2


def test_threads_that_ask_at_once_pay_once(tmp_path):
    calls, found = [], []

    def call():
        calls.append(1)
        time.sleep(0.05)
        return b"x"

    with ExactCache(tmp_path / "c.db") as cache:
        threads = [threading.Thread(target=lambda: found.append(cache.answer("k", call))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(calls) == 1
    assert sorted(hit for _, hit in found) == [False] + [True] * 7


def test_the_least_recently_used_goes_when_the_budget_is_full(tmp_path):
    clock = Clock()
    with ExactCache(tmp_path / "c.db", budget_bytes=350, clock=clock) as cache:
        for name in "abc":
            clock.now += 1
            cache.put(name, b"x" * 100)
        clock.now += 1
        cache.get("a")
        cache.put("d", b"x" * 100)

        assert [name for name in "abcd" if cache.get(name)] == ["a", "c", "d"]
        assert cache.bytes <= 350
        assert not cache.put("e", b"x" * 400)
        assert len(cache) == 3


def test_an_answer_grows_old(tmp_path):
    clock = Clock()
    with ExactCache(tmp_path / "c.db", keep_seconds=60, clock=clock) as cache:
        cache.put("k", b"x")
        clock.now += 59
        assert cache.get("k") == b"x"
        clock.now += 1
        assert cache.get("k") is None


@pytest.mark.parametrize("open_", [ExactCache, SemanticCache, Artifacts])
def test_a_file_of_another_version_or_kind_is_a_named_error(tmp_path, open_):
    path = tmp_path / "c.db"
    open_(path).close()
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version=99")
    base.close()
    with pytest.raises(InputError, match=r"of version 99 \(.*\); this release reads and writes version \d"):
        open_(path)
    other = tmp_path / "other.db"
    base = sqlite3.connect(other)
    base.execute("CREATE TABLE t (x)")
    base.close()
    with pytest.raises(InputError, match="is a database, but no"):
        open_(other)
    (tmp_path / "text.db").write_text("not a database at all" * 100)
    with pytest.raises(InputError, match="or a damaged one"):
        open_(tmp_path / "text.db")
    with pytest.raises(InputError, match="is a folder"):
        open_(tmp_path)


def test_one_kind_of_file_is_not_read_as_another(tmp_path):
    ExactCache(tmp_path / "c.db").close()
    with pytest.raises(InputError, match="no semantic cache"):
        SemanticCache(tmp_path / "c.db")


def test_what_was_put_survives_a_process_that_dies(tmp_path):
    code = f"""
        import os
        from reelwise.reuse import ExactCache
        cache = ExactCache({str(tmp_path / "c.db")!r})
        for number in range(20):
            cache.put(str(number), b"x" * 1000)
        print("put", flush=True)
        os._exit(9)
    """
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)

    assert (died.returncode, died.stdout) == (9, "put\n")
    with ExactCache(tmp_path / "c.db") as cache:
        assert len(cache) == 20


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path):
    with pytest.raises(Exception, match="cannot be used") as caught:
        ExactCache(tmp_path / "missing" / "c.db")
    assert caught.value.exit_code == 5


# the semantic cache


def test_repeats_hit_and_others_miss_with_a_reason(tmp_path):
    with SemanticCache(tmp_path / "s.db", bound=0.05) as cache:
        cache.put("video", "Does Anna greet Ben in the kitchen?", b"yes")
        hit = cache.ask("video", "  does anna greet ben in the KITCHEN")
        moved = cache.ask("video", "In the kitchen, does Anna greet Ben?")
        order = cache.ask("video", "Does Ben greet Anna in the kitchen?")
        elsewhere = cache.ask("another video", "Does Anna greet Ben in the kitchen?")

    assert isinstance(hit, Hit)
    assert (hit.kind, hit.answer) == ("exact", b"yes")
    assert isinstance(moved, Hit)
    assert isinstance(order, Miss)
    assert order.reason == "they may differ: order"
    assert isinstance(elsewhere, Miss)


def test_the_cache_learns_what_it_may_serve_and_keeps_it(tmp_path):
    with SemanticCache(tmp_path / "s.db", bound=0.05) as cache:
        cache.put("v", "What is the colour of the car?", b"red")
        first = cache.ask("v", "What's the colour of car?")
        assert isinstance(first, Miss)
        assert (first.kind, first.answer) == ("small", b"red")
        for _ in range(77):
            cache.judge(first, right=True)
        assert isinstance(cache.ask("v", "What's the colour of car?"), Hit)
    with SemanticCache(tmp_path / "s.db", bound=0.05) as cache:
        hit = cache.ask("v", "What's the colour of car?")
        assert isinstance(hit, Hit)
        for _ in range(3):
            cache.judge(hit, right=False)
        assert isinstance(cache.ask("v", "What's the colour of car?"), Miss)
        with pytest.raises(InputError):
            cache.judge(Miss(reason="nothing like it was asked"), right=True)


def test_words_in_no_order_hit_at_any_bound_and_not_where_two_orders_are_stored(tmp_path):
    with SemanticCache(tmp_path / "s.db", bound=0.01) as cache:
        cache.put("v", "Does the nurse call the doctor in the hall?", b"yes")
        hit = cache.ask("v", "hall the in call does doctor nurse the")
        assert isinstance(hit, Hit)
        assert (hit.kind, hit.answer) == ("shuffled", b"yes")
        cache.put("v", "Does the doctor call the nurse in the hall?", b"no")
        miss = cache.ask("v", "hall the in call does doctor nurse the")

    assert isinstance(miss, Miss)
    assert miss.reason == "they may differ: order"


def test_what_changes_with_time_is_not_served_from_the_past(tmp_path):
    clock = Clock()
    with SemanticCache(tmp_path / "s.db", fresh_seconds=30, clock=clock) as cache:
        cache.put("v", "Who is in the room now?", b"Anna")
        assert isinstance(cache.ask("v", "who is in the room now"), Hit)
        clock.now += 30
        late = cache.ask("v", "who is in the room now")
        assert isinstance(late, Miss)
        assert "changes" in late.reason


def test_a_scope_is_forgotten_whole(tmp_path):
    with SemanticCache(tmp_path / "s.db") as cache:
        for scope in ("a", "a", "b"):
            cache.put(scope, f"question {len(cache)}?", b"x")
        assert cache.forget("a") == 2
        assert len(cache) == 1


def test_a_bad_bound_leaves_no_file(tmp_path):
    with pytest.raises(InputError):
        SemanticCache(tmp_path / "s.db", bound=0)
    assert not os.listdir(tmp_path)  # noqa: PTH208 - is it empty


# artifacts and frames


def test_an_artifact_is_made_once_and_equal_bytes_are_stored_once(tmp_path):
    made = []

    def make():
        made.append(1)
        return b"t" * 10_000

    with Artifacts(tmp_path / "a.db") as store:
        first = store.first(NAME, "transcript", make, made_by="whisper 1")
        again = store.first(NAME, "transcript", make, made_by="whisper 1")
        store.first(NAME, "transcript", make, made_by="whisper 2")
        store.first("cd" * 32, "transcript", make, made_by="whisper 1")

        assert (first[1], again[1], len(made)) == (False, True, 3)
        assert store.bytes < 12_000
        assert store.forget(NAME) == 2
        assert store.get(NAME, "transcript", made_by="whisper 1") is None
        assert store.get("cd" * 32, "transcript", made_by="whisper 1").data == b"t" * 10_000
        assert store.forget("cd" * 32) == 1
        assert store.bytes == 0


def test_artifacts_that_do_not_fit_and_kinds_that_are_not_known_are_refused(tmp_path):
    with Artifacts(tmp_path / "a.db", budget_bytes=1000) as store:
        with pytest.raises(InputError, match="the budget is"):
            store.put(NAME, "thumbnails", b"x" * 2000, made_by="m")
        with pytest.raises(InputError, match="no kind"):
            store.put(NAME, "songs", b"x", made_by="m")
        with pytest.raises(InputError):
            store.put("https://example.com/a.mp4", "thumbnails", b"x", made_by="m")


def test_artifacts_under_a_budget_come_back_whole_or_not_at_all(tmp_path):
    clock = Clock()
    names = [f"{number:064x}" for number in range(30)]
    with Artifacts(tmp_path / "a.db", budget_bytes=5000, clock=clock) as store:
        for number, name in enumerate(names):
            clock.now += 1
            store.put(name, "descriptions", bytes([number]) * 900, made_by="m")
            assert store.bytes <= 5000
        found = [store.get(name, "descriptions", made_by="m") for name in names]

    assert found[-1] is not None
    assert all(one is None or one.data == bytes([number]) * 900 for number, one in enumerate(found))
    assert sum(one is not None for one in found) >= 3


def test_frames_that_look_the_same_share_an_answer_and_drift_does_not_add_up():
    rng = np.random.default_rng(0)
    base = rng.integers(0, 200, (90, 160)).astype(np.uint8)
    reuse: FrameReuse[str] = FrameReuse(most_different=1.5, age_seconds=10, frames=2)
    reuse.put(0.0, base, "empty room")
    noisy = np.clip(base + rng.normal(0, 2, base.shape), 0, 255).astype(np.uint8)
    thing = base.copy()
    thing[40:52, 70:90] = 255
    drift = [reuse.find(1.0 + step / 10, base + np.uint8(step)) for step in range(6)]

    assert reuse.find(1.0, noisy) == "empty room"
    assert reuse.find(1.0, thing) is None
    assert reuse.find(11.0, base) is None
    assert drift[0] == drift[1] == "empty room"
    assert drift[2:] == [None] * 4
    for number in range(5):
        reuse.put(2.0 + number, base, str(number))
    assert len(reuse._kept) == 2
    with pytest.raises(InputError):
        reuse.find(0.0, np.zeros((8, 8), np.uint8))
