"""Old records of the platform's own work go; what a file still needs stays."""

from minidata.ledger import prune
from tests.corpus.case import HEADER, good_lines
from tests.integration.conftest import Pipeline


def test_old_batches_and_alerts_go_files_and_what_they_need_stay(pipeline: Pipeline) -> None:
    pipeline.execute("delete from mdp.alerts")
    pipeline.put("good.csv", f"{HEADER}\n{good_lines('one', 5)}".encode())
    pipeline.put("bad.csv", b"a,b\n1,2\n")
    pipeline.drain()
    files = pipeline.files()
    (bad,) = [file.file_id for file in files if file.key == "bad.csv"]
    pipeline.execute(
        "insert into mdp.alerts (kind, event) values ('quarantined', %s), ('failed', %s)", str(bad), str(bad)
    )
    assert prune(pipeline.connection, 3) == 0
    pipeline.execute("delete from mdp.alerts")
    pipeline.execute(
        "insert into mdp.alerts (kind, event, told_at) select k, %s, now() - interval '4 days' "
        "from unnest('{quarantined,failed}'::text[]) k",
        str(bad),
    )
    pipeline.execute("update mdp.batches set ended_at = ended_at - interval '4 days', swept_at = now()")
    assert prune(pipeline.connection, 3) == 2
    assert pipeline.execute("select kind from mdp.alerts") == [("quarantined",)]
    assert pipeline.execute("select from mdp.batches") == []
    assert pipeline.files() == files


def test_a_batch_that_runs_or_was_not_swept_or_is_suspected_stays(pipeline: Pipeline) -> None:
    pipeline.put("good.csv", f"{HEADER}\n{good_lines('one', 5)}".encode())
    pipeline.execute("delete from mdp.alerts")
    pipeline.look()
    batch = pipeline.claim()
    assert prune(pipeline.connection, 0) == 0
    pipeline.execute("update mdp.batches set ended_at = now() - interval '4 days', outcome = 'died', swept_at = now()")
    assert prune(pipeline.connection, 3) == 0  # a file names it
    assert pipeline.execute("select batch_id from mdp.batches") == [(batch,)]
