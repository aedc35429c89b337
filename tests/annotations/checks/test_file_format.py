import gzip
from pathlib import Path

import pytest

from avdet.annotations.checks.file_format import about_form

HEADED = b"\xef\xbb\xbfvideo\ttime\tx1\ty1\tx2\ty2\n"


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("content", [HEADED, gzip.compress(HEADED)], ids=["plain", "packed"])
def test_gzip_is_known_by_its_bytes(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    said = [finding.message for finding in about_form(tmp_path / name)]
    assert len(said) == 3 and "byte order mark" in said[0] and "tabs" in said[1] and "header line" in said[2]
