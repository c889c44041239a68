"""A server keeps its name, and no two have one."""

from pathlib import Path

import pytest

from antiphon_server.runtime.nodes.name import NODE_FILE, node_name
from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable


def test_a_name_stays(tmp_path: Path) -> None:
    """It is made at the first start and is the same at the next; another folder has another."""
    other = tmp_path / "other"
    other.mkdir()
    assert node_name(tmp_path) == node_name(tmp_path) != node_name(other)


@pytest.mark.parametrize("content", ["", "x" * 65, "a\x00b"])
def test_what_is_no_name_is_refused(tmp_path: Path, content: str) -> None:
    """Rather than taken over, or replaced in secret."""
    (tmp_path / NODE_FILE).write_text(content)
    with pytest.raises(DataDirUnusable, match="holds no name"):
        node_name(tmp_path)
