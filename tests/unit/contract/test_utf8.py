"""The streaming check agrees with Python's decoder, however the bytes are cut."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidata.contract.utf8 import Utf8

ODD = [
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x82",
    b"\xff",
    b"\x80",
    b"\xf0\x9f\x8e\xac",
    "ü".encode(),
]


def feed(pieces: list[bytes]) -> None:
    check = Utf8()
    for piece in pieces:
        check.feed(piece)
    check.feed(b"", last=True)


def accepts(pieces: list[bytes]) -> bool:
    try:
        feed(pieces)
    except UnicodeDecodeError:
        return False
    return True


@given(st.lists(st.one_of(st.binary(max_size=5), st.text(max_size=5).map(str.encode), st.sampled_from(ODD))), st.data())
def test_it_says_what_python_says(parts: list[bytes], data: st.DataObject) -> None:
    content = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    try:
        codecs.decode(content, "utf-8")
        expected = True
    except UnicodeDecodeError:
        expected = False
    assert accepts(pieces) is expected


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_error_names_the_byte(size: int) -> None:
    content = "é🎬".encode() * 20 + b"\xff" + b"rest"
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    with pytest.raises(UnicodeDecodeError) as found:
        feed(pieces)
    assert found.value.object[found.value.start] == 0xFF
