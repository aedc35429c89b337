"""Output, files and exit status of the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ava_eval import evaluate, read_detections, read_ground_truth
from ava_eval.cli import main

LABEL_MAP = 'item { name: "sit" id: 11 }\nitem { name: "stand" id: 12 }\nitem { name: "sing" id: 66 }\n'
TRUTH = "v,0902,0.1,0.1,0.5,0.9,12,1\nv,0902,0.1,0.1,0.5,0.9,66,1\nw,0903,0.2,0.1,0.6,0.9,12,1\n"
VIDEO_ONLY = "v,0902,0.1,0.1,0.5,0.9,12,0.9,4\nw,0903,0.2,0.1,0.6,0.9,12,0.8,4\nw,0950,0.2,0.1,0.6,0.9,12,0.7,4\n"
AUDIOVISUAL = VIDEO_ONLY + "v,902.0,0.1,0.1,0.5,0.9,66,0.6,4\n"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """--ground-truth and --label-map, with detection files in the same folder."""
    for name, text in {
        "map": LABEL_MAP,
        "gt.csv": TRUTH,
        "video.csv": VIDEO_ONLY,
        "both.csv": AUDIOVISUAL,
        "ex.csv": "w,903\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return ["--ground-truth", str(tmp_path / "gt.csv"), "--label-map", str(tmp_path / "map")]


def test_prints_classes_mean_and_counts(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files, "--detections", str(tmp_path / "video.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    aps = {line.split()[0]: line.split()[1] for line in lines[1:5]}
    assert aps == {"sit": "-", "stand": "100.00", "sing": "0.00", "mean": "50.00"}
    assert lines[6] == "mAP by group: pose 100.00, person interaction 0.00"
    assert lines[-1] == "detections: 3 rows, 2 scored; dropped: 1 on keyframes without ground truth"


def test_json_equals_the_function(files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    options = ["--protocol", "pyslowfast", "--iou", "0.6", "--excluded", str(tmp_path / "ex.csv"), "--json", str(out)]
    assert main([*files, "--detections", str(tmp_path / "both.csv"), *options]) == 0
    numbers = json.loads(out.read_text(encoding="utf-8"))
    assert numbers["AP"] == {"sit": None, "stand": 1.0, "sing": 1.0}
    assert (numbers["protocol"], numbers["iou"], numbers["mAP"]) == ("pyslowfast", 0.6, 1.0)
    assert numbers["counts"]["dropped_excluded_keyframe"] == 1
    truth, found = read_ground_truth(tmp_path / "gt.csv"), read_detections(tmp_path / "both.csv")
    table = evaluate(truth, found, {11: "sit", 12: "stand", 66: "sing"}, protocol="pyslowfast", iou=0.6)
    assert table.to_json()["AP"] == {"sit": None, "stand": 1.0, "sing": 1.0}


def test_compare(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    pair = ["--compare", str(tmp_path / "video.csv"), str(tmp_path / "both.csv")]
    assert main([*files, *pair, "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "== video" in printed
    assert "both minus video: 95 % interval" in printed
    numbers = json.loads(out.read_text(encoding="utf-8"))
    assert {name: one["mAP"] for name, one in numbers.items()} == {"video": 0.5, "both": 1.0}


def test_files_of_one_name_get_their_folders_names(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for run, text in {"a long name of a run": VIDEO_ONLY, "other": AUDIOVISUAL}.items():
        (tmp_path / run).mkdir()
        (tmp_path / run / "detections.csv").write_text(text, encoding="utf-8")
    pair = [str(tmp_path / run / "detections.csv") for run in ("a long name of a run", "other")]
    assert main([*files, "--compare", *pair]) == 0
    printed = capsys.readouterr().out
    assert "other minus a long name of a run: 95 % interval" in printed
    (head,) = (line for line in printed.splitlines() if line.startswith("class") and "gain" in line)
    (sing,) = (line for line in printed.splitlines() if line.startswith("sing") and line.endswith("100.00"))
    assert head.split("  ")[-1].strip() == "gain" and "a long name of a run" in head and len(head) <= len(sing) + 2


def test_tubes_and_breakdown(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.json"
    more = ["--tubes", "--breakdown", "--json", str(out)]
    assert main([*files, "--detections", str(tmp_path / "both.csv"), *more]) == 0
    printed = capsys.readouterr().out
    for text in (
        "mAP by IoU",
        "mAP by person height",
        "errors by type: mAP is 100.00",
        "recall of the person boxes",
        "tubes: 3 in the ground truth",
    ):
        assert text in printed
    numbers = json.loads(out.read_text(encoding="utf-8"))
    assert numbers["tubes"]["0.5"] == {"mAP": 1.0, "AP": {"sit": None, "stand": 1.0, "sing": 1.0}}


def test_parts_of_a_data_set(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """AVA's part has whole seconds and person ids; the Kinetics part has neither, and keyframes without actions."""
    (tmp_path / "kinetics.csv").write_text("k,4.5,0.1,0.1,0.5,0.9,11\nl,3.25,,,,,\n", encoding="utf-8")
    (tmp_path / "found.csv").write_text("k,4.5,0.1,0.1,0.5,0.9,11,0.5\nl,3.25,0,0,1,1,11,0.4\n", encoding="utf-8")
    command = ["--ground-truth", files[1], str(tmp_path / "kinetics.csv"), *files[2:], "--detections"]
    assert main([*command, str(tmp_path / "both.csv"), str(tmp_path / "found.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1:5]] == ["100.00", "100.00", "100.00", "100.00"]
    assert "keyframes: 3 with ground truth, 5 with detections, 3 with both; 4 scored" in lines


def test_report(files: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "report"
    assert main([*files, "--detections", str(tmp_path / "both.csv"), "--report", str(folder)]) == 0
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "<h2>AP by class</h2>" in page
    assert main([*files, "--detections", str(tmp_path / "video.csv"), "--report", str(folder)]) == 0
    assert (folder / "index.html").read_text(encoding="utf-8") != page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--detections", "absent.csv"], "absent.csv: No such file or directory; check this path.\n"),
        (["--detections", "."], ".: Is a directory; check this path.\n"),
        (["--detections", "broken.csv"], "broken.csv, line 2: score is 'high', not a finite number"),
        (["--detections", "map"], "map, line 1: 1 column"),
        (["--detections", "both.csv", "--iou", "2"], "iou is 2.0; give a threshold above 0 and up to 1"),
        (["--detections", "both.csv", "--iou", "nan"], "iou is nan"),
        (["--detections", "broken.csv", "--json", "."], ".: Is a directory"),  # checked before any file is read
        (["--detections", "broken.csv", "--report", "map"], "map: File exists; check this path."),
        (
            ["--detections", "both.csv", "--json", "./both.csv"],
            "--json both.csv is an input file and would be",
        ),
        (["--detections", "both.csv", "--json", "map"], "--json map is an input file"),
        (
            ["--detections", "index.html", "--report", "."],
            "--report index.html is an input file and would be overwritten",
        ),
        (
            ["--detections", "both.csv", "--report", "."],
            "--report index.html exists and is not a report of ava_eval",
        ),
        (
            ["--compare", "both.csv", "./both.csv"],
            "--compare names both.csv twice; give two detection files.",
        ),
        (["--compare", "both.csv", "absent.csv"], "absent.csv: No such file or directory; check this path.\n"),
        (["--detections", "both.csv", "--label-map", "video.csv"], "video.csv holds rows such as"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    files: list[str],
    tmp_path: Path,
    change: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.csv").write_text(VIDEO_ONLY.replace(",0.8,", ",high,"), encoding="utf-8")
    (tmp_path / "index.html").write_text(AUDIOVISUAL, encoding="utf-8")
    before = {path: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert main([*files, *change]) == 2
    assert {path: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == before
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert error.count("\n") == 1


def test_wrong_usage(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    two_ways = ["--detections", "a", "--compare", "a", "b"]
    for arguments in ([], files, [*files, *two_ways], [*files, "--detections", "a", "--protocol", "coco"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        assert "usage: python -m ava_eval" in capsys.readouterr().err


def test_module_imports_no_torch_and_survives_a_closed_pipe(files: list[str], tmp_path: Path) -> None:
    """Neither torch nor avdet is imported, nor any library for drawing."""
    code = (
        "import sys\nfrom ava_eval.cli import main\nstatus = main(sys.argv[1:])\n"
        "assert not {'torch', 'avdet', 'cv2', 'av', 'matplotlib', 'rich'} & set(sys.modules)\nsys.exit(status)"
    )
    arguments = [*files, "--detections", str(tmp_path / "both.csv"), "--report", str(tmp_path)]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    numbers = tmp_path / "numbers.json"
    arguments += ["--json", str(numbers)]
    piped = f'{sys.executable} -u -m ava_eval {" ".join(arguments)} | true; exit "${{PIPESTATUS[0]}}"'
    done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=False)
    assert "mAP" in numbers.read_text(encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")  # a closed pipe is no error
    help_text = subprocess.run([sys.executable, "-m", "ava_eval", "--help"], capture_output=True, text=True, check=True)
    assert help_text.stdout.startswith("usage: python -m ava_eval")
