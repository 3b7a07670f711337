"""The default index is pip's: environment, then configuration files, then pip's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

from rdna1_lock.index.settings import default_index_url


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))


def configure(tmp_path: Path, text: str) -> None:
    (tmp_path / "pip.conf").write_text(text)


def test_the_environment_goes_first(monkeypatch, tmp_path):
    configure(tmp_path, "[global]\nindex-url = https://file.example/simple\n")
    monkeypatch.setenv("PIP_INDEX_URL", "https://env.example/simple")
    assert default_index_url() == "https://env.example/simple"


def test_a_configuration_file(tmp_path):
    configure(tmp_path, "[global]\nindex-url = https://file.example/simple\n")
    assert default_index_url() == "https://file.example/simple"


def test_the_section_of_the_command_wins(tmp_path):
    configure(
        tmp_path,
        "[global]\nindex-url = https://g.example/simple\n[install]\nindex-url = https://i.example/simple\n",
    )
    assert default_index_url() == "https://i.example/simple"


@pytest.mark.parametrize(
    "text", ["", "[global]\nextra-index-url = https://extra.example/simple\n", "no section here"]
)
def test_else_pips_own(tmp_path, text):
    configure(tmp_path, text)
    assert default_index_url() == PyPI.simple_url
