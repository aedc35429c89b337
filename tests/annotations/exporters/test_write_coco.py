import contextlib
import io
from pathlib import Path

from pycocotools.coco import COCO

from avdet.annotations.exporters.labelled_videos import LabelledVideo
from avdet.annotations.exporters.write_coco import write_coco
from tests.annotations.exporters.conftest import ACTIONS


def test_pycocotools_reads_images_and_attributes(video: LabelledVideo, tmp_path: Path) -> None:
    (path,) = write_coco([video], ACTIONS, tmp_path)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    images = coco.loadImgs(coco.getImgIds())
    names = ["kitchen one/000005.jpg", "kitchen one/000006.jpg", "kitchen one/000019.jpg"]
    assert [image["file_name"] for image in images] == names
    assert [image["frame_index"] for image in images] == [5, 6, 19]
    first, _, unknown, last = coco.loadAnns(coco.getAnnIds())
    assert first["bbox"] == [16.0, 12.0, 16.0, 36.0] and first["area"] == 576.0
    assert first["attributes"] == {ACTIONS[0]: True, ACTIONS[1]: False, "track_id": 3} and first["track_id"] == 3
    assert last["attributes"] == {ACTIONS[0]: True, ACTIONS[1]: True, "track_id": 3}
    assert "track_id" not in unknown["attributes"] and unknown["image_id"] == images[1]["id"]
