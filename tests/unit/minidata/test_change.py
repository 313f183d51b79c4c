"""Changes to the text of a file: what they touch, and that everything else keeps its bytes."""

import io

import pytest

from minidata.dataset import read_datasets
from minidata.dataset.dialect import Dialect
from minidata.errors import PermanentError
from minidata.quarantine.change import Change, rewrite, strptime_format
from minidata.settings import PROJECT

DATASET = read_datasets(PROJECT / "datasets")["youtube_stats"]


def changed(text: bytes, **how: object) -> bytes:
    out = io.BytesIO()
    rewrite(io.BytesIO(text), out, Change(**how), DATASET)  # type: ignore[arg-type]
    return out.getvalue()


def test_a_record_that_no_change_concerns_keeps_its_bytes() -> None:
    text = b'video_id ,"note"\r\na,"x\r\ny"\r\n\n"b" ,\xff"q"\nlast,1'
    assert changed(text) == text
    assert changed(text, rename={"note": "description"}) == text.replace(b'"note"', b"description")


def test_columns_are_renamed_and_dropped_by_their_names_in_the_file() -> None:
    assert changed(b"id,x,y\n1,2,3\n4,5\n", rename={"id": "video_id"}, drop=("x",)) == b"video_id,y\n1,3\n4\n"
    with pytest.raises(PermanentError, match=r"The header has no z. It has: id, x"):
        changed(b"id,x\n1,2\n", drop=("z",))


def test_the_export_of_a_european_spreadsheet_becomes_the_contracts_csv() -> None:
    text = 'video_id;description;total_views;date_updated\r\nä;"a;b";1.234,00;25.11.2026 14:30\r\nb;c,d;12,5;x\r\n'
    how = {"delimiter": ";", "encoding": "cp1252", "decimal": ",", "date_format": "DD.MM.YYYY HH:MM"}
    assert changed(text.encode("cp1252"), **how).decode() == (
        'video_id,description,total_views,date_updated\r\nä,a;b,1234,2026-11-25 14:30:00\r\nb,"c,d",12.5,x\r\n'
    )


def test_a_cell_is_set_by_the_line_of_its_record() -> None:
    text = b'video_id,total_views\n"a\nb",1\nc,ten\n'
    assert changed(text, cells={(4, "total_views"): "10"}) == text.replace(b"ten", b"10")
    with pytest.raises(PermanentError, match=r"No record starts on this line, or it has no such column: 3:total_views"):
        changed(text, cells={(3, "total_views"): "1"})


def test_utf16_and_lone_cr_become_utf8_and_lf() -> None:
    assert changed("video_id,x\r\né,1\r\n".encode("utf-16"), encoding="utf-16") == "video_id,x\r\né,1\r\n".encode()
    assert changed(b"video_id,x\ra,1\r") == b"video_id,x\na,1\n"
    with pytest.raises(PermanentError, match="no encoding klingon"):
        changed(b"a\n", encoding="klingon")


@pytest.mark.parametrize(
    ("shown", "meant"),
    [
        ("DD.MM.YYYY HH:MM", "%d.%m.%Y %H:%M"),
        ("MM/DD/YY HH:MM:SS", "%m/%d/%y %H:%M:%S"),
        ("YYYYMMDD", "%Y%m%d"),
        ("%d %b %Y", "%d %b %Y"),
    ],
)
def test_a_date_format_is_read_as_a_spreadsheet_shows_it(shown: str, meant: str) -> None:
    assert strptime_format(shown) == meant


def test_a_fix_keeps_the_dialect_of_the_dataset() -> None:
    german = DATASET.model_copy(
        update={"dialect": Dialect(delimiter=";", encoding="windows-1252", decimal=",", skip_lines=1)}
    )
    text = "Bericht\r\nvideo_id;channel_name;total_views\r\nä;x;ten\r\n".encode("cp1252")
    out = io.BytesIO()
    rewrite(io.BytesIO(text), out, Change(cells={(3, "total_views"): "10", (3, "channel_name"): "a;b"}), german)
    assert out.getvalue() == text.replace(b";x;ten", b';"a;b";10')
