"""The figures of the segmentation article, with their corrections, out of the comparison itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reelwise.case import make
from reelwise.compare import BreakEven, Comparison, Offer, compare

if TYPE_CHECKING:
    from pathlib import Path

IMAGE, VIDEO, SAM = "aws/rekognition/group1", "aws/rekognition/video-stored", "fal/sam-3"
APIS = [{"name": "image", "model": IMAGE}, {"name": "video", "model": VIDEO}, {"name": "fal", "model": SAM}]
JOB: dict[str, Any] = {
    "feature": "blur", "kind": "segment", "latency": "seconds", "day": "2026-11-22", "account": {"free_tiers": False},
    "source": {"width": 1280, "height": 720, "fps": 30, "audio": False}, "demand": {"users": 100, "sessions": 30, "seconds": 10},
    "options": APIS,
}  # fmt: skip


def compared(**more: Any) -> Comparison:
    return compare(make({**JOB, **more}, where="job.yaml"))


def offer(found: Comparison, name: str) -> Offer:
    return next(one for one in found.options if one.name == name)


def evens(found: Comparison, one: str, other: str, axis: str) -> list[BreakEven]:
    return [even for even in found.break_even if even.axis == axis and {even.a, even.b} == {one, other}]


def t4(**more: Any) -> dict[str, Any]:
    return {"name": "own T4", "host": {"name": "t4", "sku": "aws/g4dn.xlarge", **more}}


class TestManagedApis:
    def test_b1_b4_b7_b8_b9_a_session_of_ten_seconds(self) -> None:
        found = compared()
        assert offer(found, "image").usd_per_session == pytest.approx(0.30)
        assert offer(found, "video").usd_per_session == pytest.approx(0.016667, abs=5e-7)
        assert offer(found, "fal").usd_per_session == pytest.approx(0.095), "19 whole blocks of 16 frames"
        whole = compared(demand={"clips": 1, "seconds": 160})  # 300 whole blocks
        assert offer(whole, "fal").usd_per_minute * 10 / 60 == pytest.approx(0.09375)

    def test_b10_a_minute(self) -> None:
        first = compared(demand={"clips": 100, "seconds": 60})  # within the first tier
        assert offer(first, "image").usd_per_minute == pytest.approx(1.80)
        assert offer(first, "image").usd_per_minute / offer(first, "video").usd_per_minute == pytest.approx(18)

    def test_b11_b12_b13_a_month_of_a_hundred_users(self) -> None:
        found = compared()
        assert offer(found, "image").usd_per_month == pytest.approx(900)
        assert offer(found, "video").usd_per_month == pytest.approx(50)
        assert offer(found, "image").usd_per_user == pytest.approx(9)
        free = compared(account={"free_tiers": True})
        assert offer(free, "image").usd_per_month == pytest.approx(899), "1,000 images a month are free"

    def test_b3_graduated_tiers(self) -> None:
        for frames, usd in ((900_000, 900.0), (5_000_000, 4200.0), (35_000_000, 22_200.0), (50_000_000, 28_200.0)):
            found = compared(demand={"clips": frames, "seconds": 1}, source={"fps": 1})
            assert offer(found, "image").usd_per_month == pytest.approx(usd)

    def test_b14_1800_frames_at_half_a_thousandth(self, tmp_path: Path) -> None:
        rates = tmp_path / "rates.yaml"
        rates.write_text(f'overrides: [{{sku: {IMAGE}, unit: image, price: 0.0005, source: "the article: API Z"}}]\n')
        case = make({**JOB, "demand": {"clips": 1, "seconds": 60}}, where="job.yaml", rates=rates)
        assert offer(compare(case), "image").usd_per_session == pytest.approx(0.90)

    def test_b6_b21_a_frame(self) -> None:
        found = compared(demand={"clips": 100, "seconds": 16})  # 30 whole blocks
        image, video, fal = (offer(found, name).usd_per_frame or 0.0 for name in ("image", "video", "fal"))
        assert video == pytest.approx(5.5556e-05, rel=1e-4)
        assert fal == pytest.approx(0.0003125)
        assert (image / video, fal / video) == (pytest.approx(18), pytest.approx(5.625))

    def test_b22_half_the_rate_halves_pictures_and_leaves_minutes(self) -> None:
        options = [*APIS, *({"name": f"{one['name']} 15", "model": one["model"], "fps": 15} for one in APIS)]
        found = compared(options=options)
        for name, factor in (("image", 2.0), ("video", 1.0), ("fal", 1.9)):  # 19 blocks become 10
            assert (offer(found, name).usd_per_month or 0) / (
                offer(found, f"{name} 15").usd_per_month or 1
            ) == pytest.approx(factor)

    def test_a_tenth_of_a_dollar_a_minute_equals_a_hundred_images_a_minute(self) -> None:
        minute = compared(demand={"clips": 100, "seconds": 60})
        (even,) = evens(minute, "image", "video", "sampling")
        assert (even.a, even.b, even.unit) == ("image", "video", "frames_per_second")
        assert even.at == pytest.approx(100 / 60, rel=1e-6)
        (short,) = evens(compared(), "image", "video", "sampling")
        assert short.at == pytest.approx(1.6, rel=1e-6), "a session of ten seconds takes 16 or 17 whole frames"
        assert short.step

    def test_b25_revenue_a_user(self) -> None:
        classes = [{"name": "all", "users": 1000, "sessions": 1, "seconds": 1.2, "revenue_usd": 0.40}]
        each = offer(compared(demand={"classes": classes}), "video").usd_per_user
        assert each == pytest.approx(0.002)
        assert each / 0.40 == pytest.approx(0.005)


class TestOwnMachines:
    FACTS = {"host.t4.frames_per_second": 15, "host.inf1.frames_per_second": 2.3 * 15}

    def test_b15_b16_a_million_frames_at_full_use(self) -> None:
        busy = {"demand": {"clips": 1_000_000, "seconds": 1}, "source": {"fps": 1}, "facts": self.FACTS}
        found = compared(**busy, options=[*APIS, t4(scale="auto")])
        own, api = offer(found, "own T4").usd_per_frame or 0.0, offer(found, "image").usd_per_frame or 0.0
        assert own * 1e6 == pytest.approx(9.74, abs=0.005)
        assert api / own == pytest.approx(102.66, abs=0.01)

    def test_b17_b18_inferentia_is_81_percent_cheaper_an_inference(self) -> None:
        inf1 = {"name": "inf1", "host": {"name": "inf1", "sku": "aws/inf1.xlarge", "scale": "auto"}}
        found = compared(facts=self.FACTS, options=[t4(scale="auto"), inf1])
        share = (offer(found, "inf1").usd_per_frame or 0) / (offer(found, "own T4").usd_per_frame or 1)
        assert 1 - share == pytest.approx(0.8115, abs=1e-4)
        assert offer(found, "inf1").kind == "accelerator"
        assert (offer(found, "inf1").machines[0].usd_month / (offer(found, "inf1").line_items[0][2])) == pytest.approx(
            0.228
        )

    def test_b19_34_machines_for_30_000_images_a_minute(self) -> None:
        """Around the clock: 500 frames a second."""
        steady = {"demand": {"cameras": 500, "hours_a_day": 24}, "source": {"fps": 1}, "facts": self.FACTS}
        own = offer(compared(**steady, options=[t4()]), "own T4")
        assert own.machines[0].machines == 34
        assert (own.usd_per_month or 0) / 730 == pytest.approx(17.884)
        assert own.usd_per_month == pytest.approx(13_055.32)

    def test_b20_45_frames_a_second_at_the_peak_take_3_machines_and_a_spare(self) -> None:
        live = {"latency": "realtime", "source": {"fps": 15}, "peak_streams": 3, "facts": self.FACTS}
        spare = {"name": "N+1", "host": {"name": "t4", "sku": "aws/g4dn.xlarge", "spare": 1}}
        found = compared(**live, options=[t4(), spare])
        assert [offer(found, name).machines[0].machines for name in ("own T4", "N+1")] == [3, 4]
        assert offer(found, "N+1").machines[0].spare_usd_month == pytest.approx(0.526 * 730)

    def test_b23_every_fifth_frame(self) -> None:
        found = compared(
            facts={"host.t4.frames_per_second": 15},
            options=[t4(scale="auto"), {**t4(scale="auto"), "name": "6 fps", "fps": 6}],
        )
        assert (offer(found, "own T4").usd_per_month or 0) / (
            offer(found, "6 fps").usd_per_month or 1
        ) == pytest.approx(5)

    def test_the_worked_example_of_a_device(self) -> None:
        jetson = {"name": "box", "sku": "nvidia/jetson-orin-nano-super", "scale": "device"}
        camera = {"demand": {"cameras": 1, "hours_a_day": 24}, "facts": {"host.box.frames_per_second": 30}}
        box = offer(compared(**camera, options=[{"name": "box", "host": jetson}]), "box")
        assert (box.usd_per_month or 0) / 730 == pytest.approx(0.013125, abs=5e-7)
        assert (box.usd_per_frame or 0) * 1e6 == pytest.approx(0.1215, abs=5e-5)
        assert 9.74 / ((box.usd_per_frame or 1) * 1e6) == pytest.approx(80, abs=0.5)
        assert box.kind == "on_device"

    @pytest.mark.parametrize(
        ("rented", "serverless", "share"),
        [
            ("aws/g4dn.xlarge", "modal/t4", 0.89),
            ("lambda/h100-pcie", "modal/h100", 0.83),
            ("aws/p5.4xlarge", "modal/h100", 1.74),
        ],
    )
    def test_how_busy_a_rented_machine_must_be(self, rented: str, serverless: str, share: float) -> None:
        options = [
            {"name": "rent", "host": {"name": "h", "sku": rented}},
            {"name": "serverless", "host": {"name": "h", "sku": serverless, "scale": "serverless"}},
        ]
        (cycle,) = compared(facts={"host.h.frames_per_second": 15}, options=options).duty_cycles
        assert cycle.busy_share == pytest.approx(share, abs=0.005)

    def test_where_rent_and_serverless_really_cross_is_at_that_share(self) -> None:
        """Without cold starts and idle time, on one whole machine, the bills are equal at 89 % of its hours."""
        twin = {"name": "t4", "sku": "modal/t4", "scale": "serverless", "cold_start_seconds": 0, "idle_seconds": 0}
        found = compared(facts={"host.t4.frames_per_second": 15}, options=[t4(), {"name": "serverless", "host": twin}])
        first = evens(found, "own T4", "serverless", "volume")[0]
        assert (first.a, first.b) == ("serverless", "own T4")
        assert first.busy_share == pytest.approx(0.526 / (0.000164 * 3600), abs=1e-4)
