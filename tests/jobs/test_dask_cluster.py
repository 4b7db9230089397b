"""Jobs on a Dask cluster of two worker processes, by one line of config (WP21)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pluginkit
from tests.support.dists import Environment, site_of

SCRIPT = """
import json, os, sys
from pathlib import Path
from distributed import LocalCluster
from pluginkit import Host
from pluginkit.jobs import Job, JobError, NotPortable

def main():
    directory = Path(sys.argv[1])
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        config = directory / "config.yaml"
        config.write_text(
            "contracts: {animal: 'pluginkit.contracts.samples:Animal'}\\n"
            "directories: {plugins_dir: plugins}\\n"
            f"worker_pool: {{wp_max_workers: 2, executor: 'dask:{cluster.scheduler_address}'}}\\n"
        )
        with Host.from_config(config, entry_point_group=None, state_dir=directory / "state") as host:
            workers = {job.result(60) for job in [host.pool.submit(os.getpid) for _ in range(8)]}
            (outcome,) = host.submit("speak", is_loud=True).result(60)
            (directory / "plugins" / "cat" / "cat.py").write_text(sys.argv[2])
            assert host.reload("cat").ok
            newer = {job.result(60).result for job in [host.submit("speak", "cat", is_loud=True) for _ in range(4)]}
            try:
                host.pool.submit(Job(os.stat, "/nowhere").with_retry(1)).result(60)
            except JobError as error:
                failed = type(error.__cause__).__name__
            try:
                host.pool.submit(host.plugins["cat"].instance.speak, is_loud=True)
            except NotPortable as error:
                refused = str(error)
            numbers = host.pool.metrics()
            print(json.dumps({
                "elsewhere": os.getpid() not in workers, "outcome": [outcome.plugin, outcome.result],
                "failed": failed, "refused": refused, "newer": list(newer), "succeeded": numbers.succeeded, "retried": numbers.retried,
            }))

if __name__ == "__main__":
    main()
"""
CAT = "from pluginkit import hookimpl\nclass Cat:\n    @hookimpl\n    def speak(self, is_loud): return 'MEOW!'\n"


@pytest.mark.install
def test_wp21_a_dask_cluster_carries_jobs_and_hook_calls(tmp_path: Path) -> None:
    from pluginkit.testing import write_plugin

    environment = Environment.create(tmp_path / "venv")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            environment.python,
            "install",
            "-qq",
            "distributed>=2025.1",
        ],
        check=True,
        timeout=170,
    )
    places = [Path(pluginkit.__file__).parent.parent, site_of(Path(sys.prefix))]
    (environment.site / "shared.pth").write_text("\n".join(map(str, places)))
    write_plugin(tmp_path / "plugins", "cat", CAT, type="animal", entrypoint="cat:Cat")
    script = tmp_path / "main.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [environment.python, str(script), str(tmp_path), CAT.replace("MEOW", "HISS")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["elsewhere"] is True
    assert said["outcome"] == ["cat", "MEOW!"]
    assert said["newer"] == ["HISS!"]
    assert (said["failed"], said["succeeded"], said["retried"]) == ("FileNotFoundError", 13, 1)
    assert "cannot be sent to another process" in said["refused"]
