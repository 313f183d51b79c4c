"""Text: what is accepted as UTF-8 is what Python accepts, however the bytes are cut; and what counts as blank."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidata.contract.content import read_text, refuse_blank
from minidata.contract.verdict import InvalidFileError
from tests.oracle import container

ODD = [
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x82",
    b"\xff",
    b"\x80",
    b"\xf0\x9f\x8e\xac",
    b"\xef\xbb\xbf",
    "ü".encode(),
]
CONTENT = st.lists(st.one_of(st.binary(max_size=5), st.text(max_size=5).map(str.encode), st.sampled_from(ODD)))


def _cut(content: bytes, data: st.DataObject) -> list[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=6)))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]


@given(CONTENT, st.data())
def test_the_text_is_what_python_decodes_without_one_byte_order_mark(parts: list[bytes], data: st.DataObject) -> None:
    content = b"".join(parts)
    try:
        expected = codecs.decode(content, "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = 1 + content.count(b"\n", 0, error.start)
        with pytest.raises(InvalidFileError, match=f"on line {line} is not UTF-8 .byte 0x{content[error.start]:02X}"):
            list(read_text(_cut(content, data)))
        return
    pieces = list(read_text(_cut(content, data)))
    assert "".join(piece.decode() for piece in pieces) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_message_names_the_byte_and_its_line(size: int) -> None:
    content = "é🎬\n".encode() * 20 + b"\xff" + b"rest"
    with pytest.raises(InvalidFileError, match=r"on line 21 is not UTF-8 \(byte 0xFF\)"):
        list(read_text(content[at : at + size] for at in range(0, len(content), size)))


@given(st.lists(st.sampled_from([b"\xef", b"\xbb", b"\xbf", b"\xef\xbb\xbf", b" ", b"\n", b"\r", b"x"])), st.data())
def test_blank_is_what_holds_only_blanks_line_ends_and_leading_marks(parts: list[bytes], data: st.DataObject) -> None:
    content = b"".join(parts)
    passed = refuse_blank(_cut(content, data))
    if not container.says_nothing(content):
        assert b"".join(passed) == content
        return
    with pytest.raises(InvalidFileError) as found:
        list(passed)
    assert found.value.reason.code == "empty_file"
