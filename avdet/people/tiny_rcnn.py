"""A Faster R-CNN with 0.4 million weights, which learns the synthetic data set on one CPU core in two minutes.

Shapes: images (B, 3, H, W) become one feature map (B, C, H / 8, W / 8).
"""

from __future__ import annotations

from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign

__all__ = ["tiny_rcnn"]

CHANNELS = (16, 32, 64)
SHORT_SIDE = 128
TRAIN_SHORT_SIDES = (112, 144)  # drawn from in training, besides SHORT_SIDE
ANCHOR_SIZES = (24, 40, 64, 96)
ASPECT_RATIOS = (1.0, 2.0, 3.0)  # height / width
PROPOSALS = 100


def tiny_rcnn(num_classes: int, *, short_side: int = SHORT_SIDE) -> FasterRCNN:
    """Builds the model with random weights. In evaluation torchvision uses the last `min_size`."""
    return FasterRCNN(
        _Backbone(),
        min_size=(*TRAIN_SHORT_SIDES, short_side),
        max_size=4 * short_side,
        rpn_anchor_generator=AnchorGenerator((ANCHOR_SIZES,), (ASPECT_RATIOS,)),
        box_roi_pool=MultiScaleRoIAlign(["0"], output_size=5, sampling_ratio=2),
        box_head=_BoxHead(CHANNELS[-1], 5, 128),
        box_predictor=FastRCNNPredictor(128, num_classes),
        rpn_pre_nms_top_n_train=500,
        rpn_pre_nms_top_n_test=500,
        rpn_post_nms_top_n_train=PROPOSALS,
        rpn_post_nms_top_n_test=PROPOSALS,
        rpn_batch_size_per_image=64,
        box_batch_size_per_image=32,
        box_detections_per_img=20,
    )


class _Backbone(nn.Sequential):
    """Two convolutions per scale down to stride 8, then two dilated ones."""

    out_channels = CHANNELS[-1]

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        width = 3
        for channels in CHANNELS:
            layers += [_conv(width, channels, stride=2), _conv(channels, channels)]
            width = channels
        super().__init__(*layers, _conv(width, width, dilation=2), _conv(width, width, dilation=4))


class _BoxHead(nn.Sequential):
    def __init__(self, channels: int, resolution: int, width: int) -> None:
        super().__init__(nn.Flatten(), nn.Linear(channels * resolution**2, width), nn.ReLU(inplace=True))


def _conv(dim_in: int, dim_out: int, *, stride: int = 1, dilation: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(dim_in, dim_out, 3, stride, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(dim_out),
        nn.ReLU(inplace=True),
    )
