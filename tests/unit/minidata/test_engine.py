"""The choice of the engine, and what is sent to another process."""

import pickle

import pytest

from etl import open_workplace
from minidata.dataset import read_datasets
from minidata.engine import Local, Spark, choose_engine
from minidata.errors import PermanentError
from minidata.settings import PROJECT, Settings, load_settings


@pytest.mark.parametrize(
    ("engine", "from_bytes", "sizes", "chosen"),
    [
        ("local", 0, [10**9], Local),
        ("spark", 100, [60, 39], Local),
        ("spark", 100, [60, 40], Spark),
        ("spark", 0, [], Local),
    ],
)
def test_spark_takes_batches_from_a_size_on(
    engine: str, from_bytes: int, sizes: list[int], chosen: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Spark, "__init__", lambda self, remote: None)
    settings = Settings(engine=engine, spark_from_bytes=from_bytes, spark_remote="sc://cluster:15002")
    assert type(choose_engine(settings, sizes)) is chosen


def test_spark_without_an_address_or_a_client_says_what_to_do() -> None:
    with pytest.raises(PermanentError, match="MDP_SPARK_REMOTE"):
        choose_engine(Settings(engine="spark"), [10**9])
    with pytest.raises(PermanentError, match="client is not installed"):
        choose_engine(Settings(engine="spark", spark_remote="sc://cluster:15002"), [10**9])


def test_a_workplace_leaves_its_secrets_behind_and_takes_those_of_its_new_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    datasets = read_datasets(PROJECT / "datasets")
    dataset = datasets["youtube_stats"]
    for name in ("MDP_S3_ACCESS_KEY_ID", "MDP_S3_SECRET_ACCESS_KEY", "MDP_LOADER_PASSWORD"):
        monkeypatch.setenv(name, "the driver's")
    load_settings.cache_clear()
    sent = pickle.dumps(open_workplace(dataset, datasets, load_settings(), "token"))
    assert b"the driver's" not in sent
    monkeypatch.setenv("MDP_S3_ACCESS_KEY_ID", "the executor's")
    load_settings.cache_clear()
    place = pickle.loads(sent)
    load_settings.cache_clear()
    assert place.dataset == dataset
    assert place.staging.token == "token"
    assert place.settings.loader_password is None
    assert place.store.client._request_signer._credentials.access_key == "the executor's"
