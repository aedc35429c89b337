"""Small valid files of each form that avdet reads, from which the damaged ones are made."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from avdet.people.build_detector import build_trainable_detector, save_person_detector
from avdet.resume_journal import ResumeJournal, arrays_to_bytes
from tests.annotations.importers import label_files
from tests.annotations.importers.test_gttubes import gttubes
from tests.annotations.importers.test_label_studio import START, keyframe, region, task
from tests.checkpoints.reference_names import AVA_CONFIG, caffe2, mmaction2, slowfast
from tests.inference.tiny_classifier import save_tiny_classifier, tiny_classifier_config
from tests.media.make_videos import numbered, write_video
from tests.people.onnx_models import save_model

__all__ = ["JOURNAL_HEADER", "write_seeds"]

JOURNAL_HEADER = {"path": "/a.mp4", "bytes": 5, "plan": "x"}
BOX = "0.100,0.200,0.500,0.900"
TABLES = {
    "ground_truth.csv": "".join(f"v{n % 2},{902 + n % 3},{BOX},{n % 3 + 1},{n % 4}\n" for n in range(6)),
    "detections.csv": "".join(f"v{n % 2},{902 + n % 3},{BOX},{n % 3 + 1},0.{n + 1}\n" for n in range(6)),
    "boxes.csv": "video,timestamp,x1,y1,x2,y2,score,person_id\n" + f"v0,902,{BOX},0.9,1\nv1,0903.5,{BOX},0.5,2\n",
    "old_boxes.csv": f"v0,0902,{BOX},,0.9\nv0,0903,{BOX},1,0.8\n",
    "excluded.csv": "v0,0902\nv1,0904\n",
}
LABEL_MAPS = {
    "map.pbtxt": 'item {\n  name: "sit"\n  id: 1\n}\nlabel { label_id: 3 name: \'sta\\nd "up"\' label_type: PERSON }\n',
    "list.txt": "sit\nstand up\n# wave\nclap hands\n",
    "numbered.txt": "1: sit\n3: stand\n",
    "map.json": '{"sit": 0, "stand": 1, "wave": 2}',
    "names.json": '["sit", "stand"]',
    "map.csv": 'id,name\n1,"sit, down"\n2,stand\n',
}
CLIP_LISTS = {
    "kinetics.csv": "label,youtube_id,time_start,time_end\nsit,abcdefghijk,1,11\nstand,bcdefghijkl,2,12\n",
    "paths.txt": "yoga/a.mp4 1\nyoga/b.mp4 0\n",
    "frames.txt": "frames/a 163 1\nframes/b 20 0\n",
    "spans.csv": "video,start,end,label\na.mp4,0.2,1.1,sit\na.mp4,1.5,2,stand\n",
    "charades.csv": 'id,subject,actions,length\nA,x,"c000 0.50 2.0;c001 1 3.5",9.5\nB,y,,3\n',
    "charades_classes.txt": "c000 Hold a cup\nc001 Open a door\nc002 Wave\n",
    "epic.csv": (
        "narration_id,video_id,start_timestamp,stop_timestamp,verb_class,noun_class\n"
        "P01_01_0,P01_01,00:00:01.10,00:00:02.5,0,1\nP01_01_1,P01_01,0:0:3,00:00:05,1,0\n"
    ),
    "epic_classes.csv": "id,key\n0,take\n1,put\n",
    "offsets.csv": "video,offset\na,900\nb,0.5\n",
    "predictions.csv": "id,action:1:sit,action:2:stand\na,0.5,0.5\nb,0.1,0.9\n",
}
MOT = "6,3,16,12,16,36,1,1,1.0\n7,3,16,12,16,36,1,1,1.0\n7,4,0,0,32,24,1,1,1.0\n"
VIA_CSV = """# CSV_HEADER = metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata
# ATTRIBUTE = {"1":{"aname":"action","type":2,"options":{"1":"stand"},"anchor_id":"FILE1_Z1_XY1"}}
"1_a","[""kitchen one.mp4""]",0,"[0.5]","[2,16,12,16,36]","{""1"":""1""}"
"""
IMAGES_CVAT = """<annotations><meta><task><id>1</id></task></meta>
<image id="5" name="garden_000005.png" width="64" height="48">
<box label="person" xtl="1" ytl="2" xbr="30" ybr="40" rotation="10"><attribute name="action">sit</attribute></box>
</image></annotations>"""
YAMLS = {
    "small.yaml": "data: {kind: ava, train_crop: 48}\nmodel:\n  width: 8\n  pathways: [slow]\ntrain: {epochs: 2}\n",
    "anchors.yaml": "name: a\nmodel: &m {width: 16}\ntrain: {base_batch_size: 8, milestones: [1, 2]}\n",
    "epic.yaml": "data:\n  kind: epic\n  predict: [verb]\n  videos: /tmp\nmodel: {fusion: a_to_fs, dropout: 0.5}\n",
}


def write_seeds(folder: Path) -> None:
    """Writes a folder per kind of file."""
    contents: dict[str, Mapping[str, Any]] = {
        "table": {**TABLES, "packed.csv.gz": gzip.compress(TABLES["boxes.csv"].encode())},
        "label_map": LABEL_MAPS,
        "clip_list": CLIP_LISTS,
        "annotations": _annotations(),
        "pickle": _pickles(),
        "arrays": _arrays(),
        "yaml": {**YAMLS, "full.yaml": tiny_classifier_config().to_yaml()},
        "checkpoint_content": _checkpoint_contents(),
        "record": _records(),
        "image": {f"a.{suffix}": cv2.imencode(f".{suffix}", numbered(5))[1].tobytes() for suffix in ("jpg", "png")},
    }
    for kind, files in contents.items():
        (folder / kind).mkdir(parents=True)
        for name, content in files.items():
            data = content if isinstance(content, bytes) else str(content).encode()
            (folder / kind / name).write_bytes(data)
    _write_models(folder)
    _write_media(folder / "media")


def _annotations() -> dict[str, str | bytes]:
    label_studio = [task(region(START, keyframe(5, enabled=False, x=50), keyframe(19, y=0)))]
    return {
        "cvat.xml": label_files.CVAT,
        "images.xml": IMAGES_CVAT,
        "cvat.zip": _zip({"annotations.xml": label_files.CVAT}),
        "yolo.zip": _zip({"garden_000006.txt": "0 0.5 0.5 0.2 0.2\n", "classes.txt": "sit\nstand\n"}),
        "mot.zip": _zip({"garden/gt/gt.txt": MOT, "garden/seqinfo.ini": "[Sequence]\nname=garden\n"}),
        "via.json": json.dumps(label_files.via()),
        "via.csv": VIA_CSV,
        "coco.json": json.dumps(label_files.coco()),
        "named.json": json.dumps(label_files.coco_with_file_names("[{}, {}, {}]")),
        "youtube_vis.json": json.dumps(label_files.youtube_vis()),
        "label_studio.json": json.dumps(label_studio),
        "plain.csv": label_files.NORMALISED_CSV,
        "pixels.tsv": label_files.PIXEL_TSV,
        "ava.csv": label_files.AVA_CSV,
        "packed.csv.gz": gzip.compress(label_files.AVA_CSV.encode()),
        "intervals.csv": "video,person,start,end,action\ngarden.mp4,3,0.5,0.55,sit\ngarden,4,0:00.6,9,wave\n",
    }


def _zip(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def _pickles() -> dict[str, bytes]:
    boxes = {"v0,0902": np.array([[0.1, 0.1, 0.5, 0.9, 0.9]]), "v1,0903": np.zeros((0, 5))}
    frames = np.array([[0, 6, 0, 0.9, 16, 12, 32, 48]], np.float32)
    tubes = {0: [("Basketball/kitchen one", 0.9, np.array([[7, 16, 12, 32, 48]], np.float32))]}
    contents = {"boxes": boxes, "gttubes": gttubes(), "frames": frames, "tubes": tubes}
    return {
        f"{name}{protocol}.pkl": pickle.dumps(content, protocol=protocol)
        for name, content in contents.items()
        for protocol in (0, 2, 4)
    }


def _arrays() -> dict[str, str]:
    """The content of pickles as JSON; `readers` makes arrays of lists of numbers."""
    contents = {"boxes": {"v0,0902": [[0.1, 0.1, 0.5, 0.9, 0.9]]}, "gttubes": gttubes()}
    return {
        f"{name}.json": json.dumps(content, default=lambda array: array.tolist()) for name, content in contents.items()
    }


def _checkpoint_contents() -> dict[str, str]:
    """All but the weights, as JSON: of avdet's own checkpoint and of PySlowFast's."""
    own = {
        "format": "avdet",
        "version": 2,
        "config": tiny_classifier_config().model_dump(mode="json"),
        "class_names": {"0": "clap", "1": "sit", "2": "talk"},
        "training_state": None,
        "shapes": {},
    }
    return {"avdet.json": json.dumps(own), "pyslowfast.json": json.dumps({"cfg": AVA_CONFIG, "shapes": {}})}


def _records() -> dict[str, str | bytes]:
    results = {"command": ["a"], "seed": 0, "detection": {"mAP": 0.5, "AP": {"sit": 0.5, "stand": None}}}
    entries = [
        {"settings": {"a": 1}},
        {"video": "v0", "version": 1, "bytes": 30},
        {"video": "v1", "version": 1, "bytes": 60},
    ]
    note = {"source": {"path": "/a.mp4", "bytes": 5, "changed_ns": 7}, "format": "npy", "vectors": 3}
    return {
        "results.json": json.dumps(results),
        "boxes.journal": "".join(f"{json.dumps(entry)}\n" for entry in entries),
        "a.finished.json": json.dumps(note),
        "settings.json": json.dumps({"every": None, "persons": False}),
        "metrics.jsonl": '{"iteration": 1, "epoch": 1, "loss": 0.5}\n{"iteration": 2, "val": {"mAP": 0.1}}\n',
        "sample.json": json.dumps({"complete": True, "version": 6, "seed": 0, "files": {"a": {"bytes": 1}}}),
    }


def _write_models(folder: Path) -> None:
    for kind in ("checkpoint", "person_checkpoint", "onnx", "journal"):
        (folder / kind).mkdir()
    save_tiny_classifier(folder / "checkpoint/own.pt")
    state = slowfast()
    torch.save({"model_state": state, "cfg": AVA_CONFIG}, folder / "checkpoint/pyslowfast.pyth")
    torch.save({"state_dict": mmaction2(state), "meta": {"config": ""}}, folder / "checkpoint/mmaction2.pth")
    blobs = {name: tensor.numpy() for name, tensor in caffe2(state).items()}
    (folder / "checkpoint/caffe2.pkl").write_bytes(pickle.dumps({"blobs": blobs}, protocol=2))
    torch.save(state, folder / "checkpoint/legacy.pth", _use_new_zipfile_serialization=False)
    save_person_detector(
        folder / "person_checkpoint/people.pt", build_trainable_detector("torchvision", device="cpu", sample=True)
    )
    save_model(
        folder / "onnx/a.onnx", {"output0": np.zeros((1, 84, 10), np.float32)}, metadata={"names": "{0: 'person'}"}
    )
    journal = ResumeJournal(folder / "journal/a.part", JOURNAL_HEADER)
    for number in range(3):
        journal.add(number, arrays_to_bytes({"vectors": np.ones((2, 3), np.float32), "kept": np.array([True])}))


def _write_media(folder: Path) -> None:
    folder.mkdir()
    tone = np.sin(np.arange(8000, dtype=np.float32) * 0.1)
    small: dict[str, Any] = {"num_frames": 8, "fps": 8, "waveform": tone, "sample_rate": 8000}
    write_video(folder / "a.mp4", **small)
    write_video(folder / "a.mkv", **small, audio_codec="flac")
    write_video(folder / "a.avi", **small, codec="mpeg4", audio_codec="mp3")
    write_video(folder / "a.ts", **small, codec="mpeg2video")
    write_video(folder / "silent.mov", num_frames=8, fps=8, codec="mpeg4")
