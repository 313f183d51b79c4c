"""Old logs go, young ones and the folder itself stay."""

import os
import time
from pathlib import Path

from minidata.retention import prune_logs


def test_old_files_go_and_their_folders_with_them(tmp_path: Path) -> None:
    old, young = tmp_path / "dag_id=a" / "run_id=1" / "x.log", tmp_path / "dag_id=a" / "run_id=2" / "x.log"
    for file in (old, young):
        file.parent.mkdir(parents=True)
        file.write_text("log")
    days_ago = time.time() - 10 * 86_400
    os.utime(old, (days_ago, days_ago))
    assert prune_logs(tmp_path, 3) == 1
    assert not old.exists()
    assert young.exists()
    os.utime(old.parent, (days_ago, days_ago))
    assert prune_logs(tmp_path, 3) == 0
    assert not old.parent.exists()
    assert tmp_path.exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    os.utime(outside / "kept.txt", (0, 0))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "link").symlink_to(outside)
    prune_logs(logs, 3)
    assert (outside / "kept.txt").exists()
