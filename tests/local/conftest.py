"""A data folder of `make run`."""

import io
from pathlib import Path

import pytest

from tools.local.data_folder import DataFolder


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path, io.StringIO())
    for part in (folder.snapshots, folder.state, folder.journal):
        part.mkdir()
    return folder
