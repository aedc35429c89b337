"""Which audio track of a file is read, and whether it is silent while another one is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avdet.media.video_source import OpenOptions, VideoSource, open_video

__all__ = ["SILENCE", "audible_track", "describe_audio_track", "loudest"]

SILENCE = 1e-4  # of full scale: below the last of 13 bits
SAMPLE_S = 1.0  # of audio, at each of three places


def loudest(video: VideoSource) -> float:
    """The largest sample at a quarter, half and three quarters of the video."""
    longest_s = max(video.info.duration_s - SAMPLE_S, 0.0)
    return max(float(np.abs(video.audio(share * longest_s, SAMPLE_S, 16_000)).max()) for share in (0.25, 0.5, 0.75))


def audible_track(path: Path) -> int | None:
    """The first of several audio tracks that is not silent; None if all are, or if there is only one."""
    with open_video(path, short_side=64) as video:
        num_tracks = video.num_audio_tracks
    for track in range(num_tracks if num_tracks > 1 else 0):
        with open_video(path, short_side=64, options=OpenOptions(audio_track=track)) as video:
            if loudest(video) >= SILENCE:
                return track
    return None


def describe_audio_track(path: Path, options: OpenOptions) -> str | None:
    """A sentence on the track that is read of a file with several; None of others.

    Raises DecodeError if the file cannot be read or has no such track.
    """
    if path.is_dir():
        return None
    with open_video(path, short_side=64, options=options) as video:
        num_tracks = video.num_audio_tracks
        if num_tracks < 2:
            return None
        is_silent = loudest(video) < SILENCE
    read = "the one that players select" if options.audio_track is None else f"track {options.audio_track}"
    sentence = f"{path.name} has {num_tracks} audio tracks, of which {read} is read"
    other = audible_track(path) if is_silent else None
    if other is not None:
        return f"{sentence}; it is silent, but track {other} is not: give --audio-track {other}"
    return f"{sentence}; choose with --audio-track" if options.audio_track is None else sentence
