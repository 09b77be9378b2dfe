"""Quantisers read from slice headers are those that the encoder was told to use."""

from __future__ import annotations

import numpy as np
import pytest

from reelwise.scan.bits import BitReader, HeaderError, without_escapes
from reelwise.scan.slices import SliceReader
from reelwise.scan.source import Source

MOVING = {"events": ((0.5, 2.0), (2.5, 3.9))}


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts"])
@pytest.mark.parametrize("more", ["", "cabac=0", "bframes=3:weightb=1:slices=3", "interlaced=1", "weightp=2:ref=5"])
def test_h264_with_a_fixed_quantiser(tmp_path, encode, container, more):
    extra = f"ipratio=1:pbratio=1:{more}".rstrip(":")
    clip = encode(
        tmp_path / "a.bin", 4, container=container, options={"qp": "30", "crf": "-1", "x264-params": extra}, **MOVING
    )
    table = Source(clip).packets(quantisers=True)
    assert table.count == 40
    assert np.unique(table.qp).tolist() == [30.0]


@pytest.mark.parametrize("container", ["mp4", "mpegts"])
@pytest.mark.parametrize(
    "more", ["", "bframes=4:weightb=1:b-pyramid=1", "ref=4:open-gop=1:keyint=10", "sao=0:repeat-headers=1"]
)
def test_hevc_with_a_fixed_quantiser(tmp_path, encode, container, more):
    extra = f"qp=27:ipratio=1:pbratio=1:log-level=none:pools=1:{more}".rstrip(":")
    clip = encode(tmp_path / "a.bin", 4, codec="libx265", container=container, options={"x265-params": extra}, **MOVING)
    table = Source(clip).packets(quantisers=True)
    assert table.count == 40
    assert np.unique(table.qp).tolist() == [27.0]


def test_other_codecs_have_no_quantiser(tmp_path, encode):
    table = Source(encode(tmp_path / "a.avi", 1, codec="mjpeg")).packets(quantisers=True)
    assert np.isnan(table.qp).all()
    assert SliceReader.of("vp9", b"") is None


def test_broken_headers_give_nan_and_never_raise():
    dice = np.random.default_rng(5)
    for is_hevc in (False, True):
        for _ in range(300):
            noise = dice.integers(0, 256, 60).astype(np.uint8).tobytes()
            reader = SliceReader(is_hevc=is_hevc, extradata=dice.choice([b"", b"\x01"]) + noise)
            found = reader.qp(b"\x00\x00\x01" + noise + b"\x00\x00\x01" + noise[::-1])
            assert np.isnan(found) or isinstance(found, float)


def test_exp_golomb_and_escapes():
    read = BitReader(bytes([0b10100110, 0b01000010, 0b10000000]))
    assert [read.ue() for _ in range(4)] == [0, 1, 2, 3]
    assert read.se() == -2
    with pytest.raises(HeaderError):
        BitReader(b"\x00" * 8).ue()
    assert without_escapes(b"\x00\x00\x03\x01") == b"\x00\x00\x01"
