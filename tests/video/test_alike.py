from __future__ import annotations

import numpy as np
import pytest

from reelwise import video
from reelwise.run.footage import part_of


@pytest.fixture(scope="module")
def still_then_busy(tmp_path_factory):
    """Draw a clip: four seconds of one picture with a little noise, then a block that jumps each half second."""
    import av

    path = tmp_path_factory.mktemp("alike") / "clip.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=10, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for at in range(80):
            picture = np.full((180, 320, 3), 90, np.uint8)
            picture += rng.integers(0, 3, picture.shape, dtype=np.uint8)
            if at >= 40:
                left = 20 + ((at // 5) * 61) % 240
                picture[60:120, left : left + 50] = 230
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                file.mux(packet)
        file.mux(stream.encode())
    return video.track(path)


def kept(track, chosen, seconds=60.0, different=1.5):
    return video.leave_out_alike(track, np.array(chosen), most_different=different, age_seconds=seconds).tolist()


def test_noise_is_left_out_and_a_block_that_jumps_is_kept(still_then_busy):
    every = list(range(0, 80, 5))
    assert kept(still_then_busy, every) == [0, *range(40, 80, 5)]


def test_the_first_is_always_kept_and_a_frame_stands_in_only_for_so_long(still_then_busy):
    assert kept(still_then_busy, [7]) == [7]
    assert kept(still_then_busy, []) == []
    assert kept(still_then_busy, range(0, 40, 5), seconds=1.2) == [0, 15, 30]


def test_a_part_of_a_clip_looks_at_its_own_frames(still_then_busy):
    part = part_of(still_then_busy, 3.0, 6.0)
    assert kept(part, [0, 5, 10, 15]) == [0, 10, 15]


def test_the_stage_counts_what_it_leaves_out(still_then_busy):
    """What is chosen, and what of it is left out, is one fact under both stages' settings."""
    import datetime as dt

    from reelwise.facts import Facts, settings_hash
    from reelwise.flow import Out, Tally
    from reelwise.plan import Plan, run
    from reelwise.rates import Book
    from reelwise.run.footage import piece_of
    from reelwise.stages import Call, Reuse, Sample
    from reelwise.stages.reuse import FRAMES_AGAIN
    from reelwise.workload import Demand, Workload

    reuse, sample = Reuse(frames=True, frames_seconds=60.0), Sample(fps=2.0)
    plan = Plan(stages=(reuse, sample, Call(model="gpt-4o", part="images")))
    book, tally = Book.load(dt.date(2026, 11, 22)), Tally()
    out = Out(book, book.day, tally)
    piece = piece_of(Workload(feature="yard", demand=Demand(hours=1)), still_then_busy)
    (left,) = run(plan, [piece], Facts.load(), out)

    assert left.frames.tolist() == [0, *range(40, 80, 5)]
    assert left.item.frames == out.requests[0].images == 9
    key = settings_hash(reuse.frames_key(sample))
    assert [sums for (name, own, _), sums in tally.sums.items() if (name, own) == (FRAMES_AGAIN, key)] == [
        [(7.0, 16.0)]
    ]
