"""The same labels in every tool's format: two persons in a video of 20 frames at 10 fps, 64 x 48 pixels."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from avdet.annotations.importers import read_all
from avdet.annotations.importers.rows import Context
from avdet.annotations.importers.video_index import VideoIndex
from avdet.annotations.importers.write_dataset import merge_tables

LABEL_MAP = {1: "stand", 2: "talk", 4: "wave"}
EXPECTED = [
    ["kitchen one", 0.5, 0.25, 0.25, 0.5, 1.0, "stand", 0],
    ["kitchen one", 0.5, 0.25, 0.25, 0.5, 1.0, "talk", 0],
    ["kitchen one", 1.0, 0.0, 0.0, 0.5, 0.5, "wave", 3],
]
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><id>1</id><name>t</name><original_size><width>64</width><height>48</height></original_size>
<source>kitchen one.mp4</source></task></meta>
<track id="0" label="person" source="manual">
 <box frame="5" outside="0" occluded="0" keyframe="1" xtl="16.0" ytl="12.0" xbr="32.0" ybr="48.0">
  <attribute name="pose">stand</attribute><attribute name="talk">true</attribute>
  <attribute name="eat">false</attribute></box>
 <box frame="6" outside="1" occluded="0" keyframe="1" xtl="16.0" ytl="12.0" xbr="32.0" ybr="48.0">
  <attribute name="pose">stand</attribute></box>
</track>
<track id="3" label="wave"><box frame="10" outside="0" xtl="-4" ytl="0" xbr="32" ybr="24"/></track>
</annotations>"""
NORMALISED_CSV = """Video,Time,xmin,ymin,xmax,ymax,Label,Track
kitchen one.mp4,0.5,0.25,0.25,0.5,1.0,stand,0
kitchen one.mp4,0.5,0.25,0.25,0.5,1.0,talk,0
kitchen one.mp4,1,0,0,0.5,0.5,wave,3
"""
PIXEL_TSV = "video\tframe\tx1\ty1\tx2\ty2\taction\tperson\r\n" + "".join(
    f"kitchen one\t{row}\r\n"
    for row in ("5\t16\t12\t32\t48\t1\t0", "5\t16\t12\t32\t48\t2\t0", "10\t0\t0\t32\t24\t4\t3")
)
AVA_CSV = (
    "kitchen one,0000.5,0.25,0.25,0.5,1,1,0\nkitchen one,0.5,0.25,0.25,0.5,1,2,0\nkitchen one,1.0,0,0,0.5,0.5,4,3\n"
)


def read(path: Path, videos: VideoIndex, omitted: Counter[str] | None = None, **options: Any) -> pd.DataFrame:  # noqa: ANN401
    """The rows of one file, as the command imports them. `options` are those of `Context`."""
    context = Context(videos, omitted=Counter() if omitted is None else omitted, **{"label_map": LABEL_MAP, **options})
    return merge_tables(read_all([path], context), context.omitted)


def via() -> dict[str, Any]:
    options = {"1": "stand", "2": "talk", "3": "wave"}
    return {
        "project": {"pid": "x", "vid_list": ["1"]},
        "attribute": {
            "1": {"aname": "action", "type": 2, "options": options, "anchor_id": "FILE1_Z1_XY1"},
            "2": {"aname": "person", "type": 1, "options": {}, "anchor_id": "FILE1_Z1_XY1"},
        },
        "file": {"7": {"fid": "7", "fname": "kitchen one.mp4", "type": 4}},
        "view": {"1": {"fid_list": ["7"]}},
        "metadata": {
            "1_a": {"vid": "1", "flg": 0, "z": [0.5], "xy": [2, 16, 12, 16, 36], "av": {"1": "1,2", "2": "0"}},
            "1_b": {"vid": "1", "flg": 0, "z": [1.0], "xy": [2, -4, 0, 36, 24], "av": {"1": "3", "2": "P3"}},
            "1_c": {"vid": "1", "flg": 0, "z": [0.0, 1.5], "xy": [], "av": {"1": "1"}},
        },
    }


def coco() -> dict[str, Any]:
    return {
        "videos": [{"id": 1, "name": "kitchen one", "width": 64, "height": 48}],
        "images": [{"id": 5, "video_id": 1, "frame_index": 5}, {"id": 10, "video_id": 1, "frame_index": 10}],
        "categories": [{"id": 1, "name": "stand"}, {"id": 2, "name": "talk"}, {"id": 4, "name": "wave"}],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 1, "track_id": 0, "bbox": [16, 12, 16, 36]},
            {"id": 2, "image_id": 5, "category_id": 2, "track_id": 0, "bbox": [16, 12, 16, 36]},
            {"id": 3, "image_id": 10, "category_id": 4, "track_id": 3, "bbox": [-4, 0, 36, 24]},
        ],
    }


def coco_with_file_names(numbers: str, *, first: int = 0) -> dict[str, Any]:
    """Frames 0, 5 and 10, in files named by number from `first` on. numbers: the images' own frame numbers."""
    content = coco()
    content["images"] = [
        {"id": frame, "video_id": 1, "file_name": f"kitchen one/{frame + first:05d}.jpg", **number}
        for frame, number in zip((0, 5, 10), json.loads(numbers), strict=True)
    ]
    return content


def youtube_vis() -> dict[str, Any]:
    content = coco()
    stand, talk = [None] * 5 + [[16, 12, 16, 36]], [None] * 5 + [[16, 12, 16, 36]] + [None] * 14
    content["annotations"] = [
        {"id": 1, "video_id": 1, "category_id": 1, "instance_id": 0, "bboxes": stand},
        {"id": 2, "video_id": 1, "category_id": 2, "instance_id": 0, "bboxes": talk},
        {"id": 3, "video_id": 1, "category_id": 4, "instance_id": 3, "bboxes": [None] * 10 + [[-4, 0, 36, 24]]},
    ]
    del content["images"]
    return content


def youtube_vis_of_every_fifth_frame() -> dict[str, Any]:
    content = youtube_vis()
    content["videos"][0]["file_names"] = [f"kitchen one/{frame:05d}.jpg" for frame in (0, 5, 10)]
    for annotation in content["annotations"]:
        annotation["bboxes"] = [None, *annotation["bboxes"][5::5], None, None][:3]
    return content
