"""The provisional API: lazy, complete, and without a command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rdna1_lock import api
from support.replica import build_replica
from support.server import Server


def test_every_name_can_be_had():
    for name in api.__all__:
        assert getattr(api, name) is not None
    assert set(api.__all__) == set(api._HOMES)
    with pytest.raises(AttributeError):
        api.nothing  # noqa: B018


def test_importing_it_imports_nothing_heavy():
    code = "import sys; import rdna1_lock.api; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"click", "rich", "requests", "packaging", "resolvelib", "jinja2"}


def test_resolve_read_and_stop(server: Server, tmp_path: Path):
    default, rocm = build_replica(server)
    request = api.ResolveRequest(
        requirements=("torch",),
        index_url=default,
        rocm_index_url=rocm,
        catalogue=False,
        place=tmp_path / "lock",
    )
    context = api.Context(environ={}, cache_dir=tmp_path / "cache")
    done = api.resolve(request, context)
    assert {str(package.name) for package in done.lock.packages} >= {"torch", "numpy"}
    assert not (tmp_path / "lock").exists()
    assert len(api.write(done)) == 6
    assert api.read_lock(tmp_path / "lock" / "pylock.toml").inputs == done.lock.inputs
    with pytest.raises(api.Error) as caught:
        api.resolve(api.ResolveRequest(requirements=("==",)), context)
    assert caught.value.code == "bad-argument"


def test_a_task_can_be_stopped_from_another_thread(server: Server, tmp_path: Path):
    from rdna1_lock.tasks.fetch import FetchRequest, fetch

    default, rocm = build_replica(server)
    request = api.ResolveRequest(
        index_url=default, rocm_index_url=rocm, catalogue=False, place=tmp_path / "lock"
    )
    context = api.Context(environ={}, cache_dir=tmp_path / "cache")
    api.write(api.resolve(request, context))
    context.cancel.set()
    with pytest.raises(api.Error) as caught:
        fetch(FetchRequest(lock=tmp_path / "lock"), context)
    assert (caught.value.code, int(caught.value.exit_status)) == ("interrupted", 130)
