"""Hostile files at the command line: exit status 2, one sentence, under 1 GB and 10 s."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY
from tests.shared import SHARED, needs_shared

HOSTILE = SHARED / "cases" / "hostile"
VIDEO = "sample_train_00"
LAUGHS = '<!DOCTYPE a [<!ENTITY a0 "xxxxxxxxxx">' + "".join(
    f'<!ENTITY a{k} "{10 * f"&a{k - 1};"}">' for k in range(1, 10)
)
TEXTS = {
    "laughs.xml": f"{LAUGHS}]><annotations><meta><source>&a9;</source></meta></annotations>",
    "deep.xml": "<annotations>" + 1_000_000 * "<a>",
    "deep.json": 1_000_000 * "[",
    "number.json": '{"metadata": {}, "attribute": {}, "file": ' + 100_000 * "1" + "}",
    "coco.json": json.dumps(
        {
            "categories": [{"id": 1, "name": "walk"}],
            "videos": [{"id": 1, "file_names": [f"{VIDEO}.mp4"], "width": 10**400, "height": 1}],
            "annotations": [{"id": 1, "video_id": 1, "category_id": 1, "bboxes": [[0, 0, 1e308, 1e308]]}],
        }
    ),
    "label_map.txt": "1: \x1b[2J\nx" + 100 * "y\n",
}
LIMITS = {"seconds": 10, "peak_mb": 1000}


def run(cases: dict[str, tuple[str, list[str]]], folder: Path) -> None:
    """Runs all cases in one process that forks, and checks each. `-s` shows the table."""
    (folder / "cases.json").write_text(json.dumps(cases))
    command = [sys.executable, str(REPOSITORY / "tests/cli/run_hostile.py"), str(folder / "cases.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY, timeout=900)
    results: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [result["name"] for result in results] == list(cases)
    for result in results:
        sentence = result["stderr"].strip()
        numbers = f"{result['status']} | {result['seconds']:.1f} | {result['peak_mb']:.0f}"
        sys.stdout.write(f"| {result['name']} | {numbers} | {sentence} |\n")
        assert result["status"] == 2, result
        assert sentence.startswith("error: ") and "\n" not in sentence and len(sentence) < 700, result
        assert all(result[name] < limit for name, limit in LIMITS.items()), result


@needs_shared
def test_hostile_files_of_the_collection(tmp_path: Path, sample: Path, tiny_config_file: str) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copy(next((sample / "videos").glob("*.mp4")), videos / f"{VIDEO}.mp4")
    (tmp_path / "g.csv").write_text("g,1.0,0.1,0.1,0.5,0.5,1,0.9\n")
    check, importer = "avdet.cli.check_data", "avdet.cli.import_annotations"
    output = str(tmp_path / "out")
    cases = {
        name: ("avdet.cli.train_net", ["--config", tiny_config_file, "--dry-run", f"data.val_boxes={HOSTILE / name}"])
        for name in ("memo28.pkl", "hexbomb.pkl")
    }
    cases |= {name: (check, ["--config", str(HOSTILE / name)]) for name in ("deep.yaml", "bomb.yaml", "date.yaml")}
    options = ["--videos", str(videos), "--output", output]
    cases["cvat_width.xml"] = (importer, [str(HOSTILE / "cvat_width.xml"), *options])
    cases["g.mp4"] = (
        "avdet.cli.visualize",
        [str(HOSTILE / "g.mp4"), "--detections", str(tmp_path / "g.csv"), "--output", str(tmp_path / "x.mp4")],
    )
    run(cases, tmp_path)


def test_hostile_annotations(tmp_path: Path, sample: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copy(next((sample / "videos").glob("*.mp4")), videos / f"{VIDEO}.mp4")
    for name, text in TEXTS.items():
        (tmp_path / name).write_text(text)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("annotations.xml", bytes(200_000_000))
    (tmp_path / "bomb.json.gz").write_bytes(gzip.compress(bytes(500_000_000), 1))
    options = ["--videos", str(videos), "--output", str(tmp_path / "out")]
    importer = "avdet.cli.import_annotations"
    names = [name for name in TEXTS if name != "label_map.txt"]
    cases = {name: (importer, [str(tmp_path / name), *options]) for name in [*names, "bomb.zip", "bomb.json.gz"]}
    cases["device"] = (importer, ["/dev/zero", *options])
    cases["label_map.txt"] = (
        importer,
        [str(tmp_path / "coco.json"), *options, "--label-map", str(tmp_path / "label_map.txt")],
    )
    run(cases, tmp_path)
