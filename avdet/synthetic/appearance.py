"""What a person looks like: colours, hair and height, drawn by chance and worn for a whole scene."""

from __future__ import annotations

from dataclasses import dataclass

from avdet.synthetic.canvas import Colour
from avdet.synthetic.rng import Dice

SKINS: tuple[Colour, ...] = ((255, 219, 185), (241, 194, 150), (214, 158, 112), (168, 112, 74), (120, 78, 52))
HAIRS: tuple[Colour, ...] = ((40, 30, 28), (92, 58, 34), (190, 140, 70), (150, 60, 40), (170, 170, 176))
CLOTHES: tuple[Colour, ...] = (
    (214, 72, 66), (240, 150, 50), (244, 208, 84), (96, 170, 92), (52, 128, 140),
    (70, 112, 196), (128, 92, 176), (226, 128, 166), (240, 240, 236), (78, 84, 96),
)  # fmt: skip
TROUSERS: tuple[Colour, ...] = ((52, 62, 92), (66, 66, 70), (110, 84, 62), (84, 100, 82), (150, 140, 120))
HAIR_STYLES = ("cap", "bun", "long", "curls", "bald", "hat")


@dataclass(frozen=True)
class Appearance:
    """The colours (RGB) and hair of one person."""

    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    shoes: Colour
    drum: Colour
    seat: Colour
    hair_style: str
    long_sleeves: bool
    stripes: bool


def dress(dice: Dice) -> Appearance:
    shirt = dice.pick(CLOTHES)
    return Appearance(
        dice.pick(SKINS), dice.pick(HAIRS), shirt, dice.pick(TROUSERS), dice.pick(((60, 40, 36), (230, 230, 226))),
        dice.pick([colour for colour in CLOTHES[:8] if colour != shirt]), dice.pick(((150, 100, 60), (90, 96, 110))),
        dice.pick(HAIR_STYLES), dice.chance(0.5), dice.chance(0.3),
    )  # fmt: skip


def shaded(colour: Colour, share: float) -> Colour:
    """A colour darkened (share below 1) or lightened (above)."""
    return (
        min(round(colour[0] * share), 255), min(round(colour[1] * share), 255), min(round(colour[2] * share), 255)
    )  # fmt: skip
