"""Proves that torch, torchvision and torchaudio are builds of one another; the last step of the set-up."""

import sys

ADVICE = "remove .venv and install again with pip's usual index: pyproject.toml names the releases that load together"


def main() -> int:
    try:
        import torch
        from torchaudio.transforms import MelSpectrogram
        from torchvision.ops import roi_align

        pooled = roi_align(torch.ones(1, 1, 8, 8), [torch.tensor([[0.0, 0.0, 8.0, 8.0]])], output_size=2)
        mel = MelSpectrogram(sample_rate=16_000, n_fft=512, n_mels=80)(torch.zeros(16_000))
    except (ImportError, OSError, RuntimeError) as error:
        sys.stderr.write(f"error: torch, torchvision and torchaudio do not fit together ({error}); {ADVICE}\n")
        return 2
    assert pooled.shape == (1, 1, 2, 2) and mel.shape[0] == 80
    sys.stdout.write(f"torch {torch.__version__} with its torchvision and torchaudio: works\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
