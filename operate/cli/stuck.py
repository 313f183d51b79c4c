"""Whether waiting for files can end: a paused DAG, for one, takes no file, however long a command waits."""

from collections.abc import Collection

from minidata.dataset import dataset_of, owners_of_files
from minidata.errors import NotRunningError, PermanentError
from minidata.settings import Settings
from operate.cli.app import Chosen
from operate.embedded.state import State

_HOPELESS = {"dag_paused", "dag_broken", "dag_missing"}


def require_progress(settings: Settings, keys: Collection[str]) -> None:
    """Check that the platform of this command can process some files; what passes by itself is no obstacle.

    A platform that only the settings name cannot be checked.

    Raises:
        NotRunningError: if the platform is stopped.
        PermanentError: if their DAG is paused, missing or broken.
    """
    if Chosen.folder is None or not (state := State(Chosen.folder)).exists():
        return
    from operate.embedded.status import services_status  # noqa: PLC0415  imports psutil, which most commands do not need

    found = services_status(state)
    if not found["running"]:
        raise NotRunningError("The platform is stopped, so the files wait in raw. Start it with `./mdp up`.")
    datasets = owners_of_files(settings.datasets_folder)
    dags = {dataset_of(key, datasets.values(), settings.default_dataset) for key in keys}
    for problem in found["problems"]:
        if problem["code"] in _HOPELESS and (problem["subject"] in dags or problem["code"] == "dag_broken"):
            raise PermanentError(f"{problem['message']} {problem['fix']}")
