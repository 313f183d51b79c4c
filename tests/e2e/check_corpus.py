"""The whole corpus in one burst, and a hostile folder file by file, through real Airflow. Takes four minutes."""

from datetime import UTC, datetime

from tests.corpus.cases import CASES
from tests.e2e.conftest import Platform
from tests.e2e.test_from_upload_to_table import files_as_the_oracle_says, folder


def test_a_hostile_folder_one_by_one(platform: Platform) -> None:
    uploads = dict(folder(25, 6))
    for key, content in uploads.items():
        platform.put({key: content})
        platform.mdp("wait", "--timeout", "300")
    files_as_the_oracle_says(platform, {})
    files = {file["key"]: file["state"] for file in platform.json("files")}
    assert {files[key] for key in uploads} <= {"archived", "quarantined"}


def test_the_whole_corpus(platform: Platform) -> None:
    now = datetime.now(UTC)
    cases = [case for case in CASES if case.default_settings and not case.exact_arrival]
    files_as_the_oracle_says(platform, {case.key: case.build(now) for case in cases})
