"""The default index is pip's: environment, then configuration files, then pip's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rdna1_lock.errors import InputError
from rdna1_lock.index import settings


@pytest.fixture
def ask(tmp_path: Path):
    """Ask with an environment that names nothing but this test's folders."""

    def call(**environ: str) -> str:
        there = {
            "HOME": str(tmp_path / "home"),
            "XDG_CONFIG_DIRS": str(tmp_path / "xdg"),
            "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        }
        return settings.default_index_url({**there, **environ}, tmp_path / "cache")

    return call


def configure(tmp_path: Path, text: str, name: str = "pip.conf") -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)


def pips_own() -> str:
    """What pip itself resolves from without any setting, by its verbose configuration."""
    text = subprocess.run(
        [
            sys.executable,
            "-c",
            "from pip._internal.models.index import PyPI; print(PyPI.simple_url)",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return text.strip()


def test_the_environment_goes_first(ask, tmp_path):
    configure(tmp_path, "[global]\nindex-url = https://file.example/simple\n")
    assert ask(PIP_INDEX_URL="https://env.example/simple") == "https://env.example/simple"


def test_a_configuration_file(ask, tmp_path):
    configure(tmp_path, "[global]\nindex-url = https://file.example/simple\n")
    assert ask() == "https://file.example/simple"


def test_the_section_of_the_command_wins(ask, tmp_path):
    configure(
        tmp_path,
        "[global]\nindex-url = https://g.example/simple\n[install]\nindex-url = https://i.example/simple\n",
    )
    assert ask() == "https://i.example/simple"


@pytest.mark.parametrize(
    "text", ["", "[global]\nextra-index-url = https://extra.example/simple\n", "no section here"]
)
def test_else_pips_own(ask, tmp_path, text):
    configure(tmp_path, text)
    assert ask() == pips_own()


def test_the_users_file_counts_unless_the_environment_names_one(ask, tmp_path):
    configure(
        tmp_path, "[global]\nindex_url = https://user.example/simple\n", "home/.config/pip/pip.conf"
    )
    configure(tmp_path, "[global]\nindex-url = https://xdg.example/simple\n", "xdg/pip/pip.conf")
    assert ask() == "https://user.example/simple"
    # pip: "per-user config is not loaded when env_config_file exists".
    configure(tmp_path, "[list]\nformat = columns\n")
    assert ask() == "https://xdg.example/simple"


def test_no_file_counts_where_they_are_switched_off(ask, tmp_path):
    configure(tmp_path, "[global]\nindex-url = https://user.example/simple\n", "home/.pip/pip.conf")
    assert ask(PIP_CONFIG_FILE=os.devnull) == pips_own()


def test_pip_is_asked_once(ask, tmp_path, monkeypatch):
    first = ask()
    monkeypatch.setattr(settings.subprocess, "run", lambda *_, **__: pytest.fail("asked again"))
    assert ask() == first
    assert len([p for p in (tmp_path / "cache").rglob("*") if p.is_file()]) == 1


def test_a_pip_that_says_nothing_is_an_error_with_a_way_out(ask, monkeypatch):
    done = subprocess.CompletedProcess([], 0, "--index-url <url>  Base URL", "")
    monkeypatch.setattr(settings.subprocess, "run", lambda *_, **__: done)
    with pytest.raises(InputError) as caught:
        ask()
    assert (caught.value.code, "--index-url" in str(caught.value.hint)) == ("no-index", True)
