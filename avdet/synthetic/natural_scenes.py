"""Turns told scenes into videos as people upload them: sound and place go with what is seen, and tell of each other.

The labelled sample takes such hints away, so that it measures listening. What learns from synchrony lives on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from avdet.synthetic.classes import TWIN_LOOKS, Look
from avdet.synthetic.scene import Scene, Span

__all__ = ["natural_scenes"]

HOMES: Mapping[Look, str] = {"mouth": "room", "clap": "park", "drum": "stage", "idle": "street"}


def natural_scenes(scene: Scene) -> Scene:
    """Whoever is seen making a sound is heard, and nothing else is, but for music where somebody idles.

    The place is the one where the first act belongs; people wave anywhere.
    """
    actors = tuple(
        replace(actor, acts=tuple(replace(act, heard=act.look in TWIN_LOOKS) for act in actor.acts))
        for actor in scene.actors
    )
    look = actors[0].acts[0].look
    music = (Span(0.0, scene.duration_s),) if look == "idle" else ()
    return replace(scene, actors=actors, music=music, off_screen=(), place=HOMES.get(look))
