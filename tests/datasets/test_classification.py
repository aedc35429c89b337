from __future__ import annotations

from pathlib import Path

import pytest

from avdet.datasets.class_folders import ClassFolders, ClassFoldersConfig
from avdet.datasets.classification import refuse_shared
from avdet.datasets.dataset import require_data
from avdet.datasets.epic import Epic, EpicConfig, participants
from avdet.datasets.hmdb51 import Hmdb51, Hmdb51Config
from avdet.datasets.kinetics import Kinetics, KineticsConfig
from avdet.synthetic.benchmark_files import AUDIO_DEPENDENT_CLASSES

KINETICS_ROWS = "label,youtube_id,time_start,time_end\nyoga,a,{},{}\n"


def kinetics(sample: Path, **more: object) -> Kinetics:
    files = {"train_csv": "kinetics_train.csv", "val_csv": "kinetics_val.csv", "label_map": "label_map.txt", **more}
    folders = {"videos": sample / "videos", "annotations": sample / "annotations/kinetics"}
    return Kinetics(KineticsConfig.model_validate({**folders, **files}))


def test_any_folder_of_classes(clip_sample: Path) -> None:
    data = ClassFolders(ClassFoldersConfig(videos=clip_sample / "folders", annotations=clip_sample / "folders"))
    require_data(data)
    train = data.read("train")
    folders = sorted(path.name for path in (clip_sample / "folders/train").iterdir())
    assert data.class_sets()["action"].names == tuple(folders)
    assert len(train.segments) == len(list((clip_sample / "folders/train").rglob("*.mp4"))) == len(train.annotated)
    assert {train.files[video].parent.name for video in train.segments.videos} == set(folders)


def test_a_clip_is_not_learned_from_and_tested(clip_sample: Path) -> None:
    data = kinetics(clip_sample)
    train, val = data.read("train"), data.read("val")
    refuse_shared(train, val)
    with pytest.raises(ValueError, match=rf"{len(val.segments)} clips are in both train and val, such as "):
        refuse_shared(kinetics(clip_sample, train_csv="kinetics_val.csv").read("train"), val)


def test_seconds_of_one_file_are_not_learned_from_and_tested(clip_sample: Path, tmp_path: Path) -> None:
    """However the lists spell it."""
    movie = next((clip_sample / "folders/train").rglob("*.mp4"))
    (tmp_path / "v").mkdir()
    (tmp_path / "v/a.mp4").symlink_to(movie)
    (tmp_path / "map.txt").write_text("yoga\nzumba\n")
    (tmp_path / "train.csv").write_text("/data/a.mp4 0\n")
    rows = [KINETICS_ROWS.format(*times) for times in ((0, 1), (9, 12))]
    for text, meets in (("videos/a.mp4 1\n", True), (rows[0], True), (rows[1], False)):
        (tmp_path / "val.csv").write_text(text)
        if not meets:
            (tmp_path / "train.csv").write_text(rows[0])
        files = {"train_csv": Path("train.csv"), "val_csv": Path("val.csv"), "label_map": Path("map.txt")}
        data = Kinetics(KineticsConfig(videos=tmp_path / "v", annotations=tmp_path, **files))
        splits = data.read("train"), data.read("val")
        if meets:
            with pytest.raises(ValueError, match=r"1 clips of val overlap training clips in time, such as .*a\.mp4"):
                refuse_shared(*splits)
        else:
            refuse_shared(*splits)


def test_a_subset_of_the_classes(clip_sample: Path) -> None:
    whole, part = kinetics(clip_sample), kinetics(clip_sample, classes="kinetics_sounds_classes.txt")
    names = whole.class_sets()["action"].names
    assert set(part.class_sets()["action"].names) == set(AUDIO_DEPENDENT_CLASSES)
    everything, subset = whole.read("train").segments, part.read("train").segments
    told = [names[label] in AUDIO_DEPENDENT_CLASSES for label in everything.labels["action"]]
    assert len(subset) == sum(told) and subset.ids.tolist() == [
        i for i, t in zip(everything.ids, told, strict=True) if t
    ]


def test_val_participants_are_held_out_of_the_training_file(clip_sample: Path) -> None:
    data = Epic(
        EpicConfig(
            videos=clip_sample / "videos",
            annotations=clip_sample / "annotations/epic",
            val_csv=Path("not_there.csv"),
            val_participants=("P01",),
        )
    )
    val = data.read("val").segments
    assert set(participants(val)) == {"P01"} and set(val.labels) == {"verb", "noun"}
    with pytest.raises(ValueError, match="train: the annotations list no clip"):
        data.read("train")  # the tiny sample's training videos are all of that participant


def test_where_participants_are_held_out_the_val_file_is_not_asked_for(clip_sample: Path) -> None:
    """As EPIC-55 has it; but val needs the training file, which says which actions occur."""
    places = {"videos": clip_sample / "videos", "annotations": clip_sample / "annotations/epic"}
    require_data(Epic(EpicConfig(**places, val_csv=Path("not_there.csv"), val_participants=("P01",))))
    with pytest.raises(ValueError, match=r"not_there\.csv \(data\.val_csv\)"):
        require_data(Epic(EpicConfig(**places, val_csv=Path("not_there.csv"))))
    with pytest.raises(ValueError, match=r"gone\.csv \(data\.train_csv\)"):
        require_data(Epic(EpicConfig(**places, train_csv=Path("gone.csv"))), ("val",))


def test_a_training_row_without_a_class_is_left_out_and_counted(clip_sample: Path, tmp_path: Path) -> None:
    source = (clip_sample / "annotations/epic/EPIC_100_train.csv").read_text().splitlines()
    header, cells = source[0], source[1].split(",")
    cells[header.split(",").index("verb_class")] = ""
    for path in (clip_sample / "annotations/epic").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "EPIC_100_train.csv").write_text("\n".join([header, ",".join(cells), *source[2:]]) + "\n")
    data = Epic(EpicConfig(videos=clip_sample / "videos", annotations=tmp_path))
    assert len(data.read("train").segments) == len(source) - 2
    with pytest.raises(ValueError, match=r"1 of .* rows have no class"):
        Epic(data.config.model_copy(update={"require_all_videos": True})).read("train")
    nouns = data.predicting(["noun"])
    assert len(nouns.read("train").segments) == len(source) - 1


def test_one_set_a_model_where_verbs_and_nouns_are_learned_apart(clip_sample: Path) -> None:
    data = Epic(EpicConfig(annotations=clip_sample / "annotations/epic", predict=("noun",)))
    assert list(data.class_sets()) == ["noun"]


def test_learning_without_labels_has_the_turns_as_classes_or_none(clip_sample: Path) -> None:
    assert len(kinetics(clip_sample, task="rotation").class_sets()["rotation"]) == 4
    assert kinetics(clip_sample, task="none").class_sets() == {}


def test_missing_lists_are_named(tmp_path: Path) -> None:
    data = Hmdb51(Hmdb51Config(videos=tmp_path, annotations=tmp_path, split=2))
    with pytest.raises(ValueError, match=r"CLASS_test_split2\.txt .*--sample"):
        require_data(data)
