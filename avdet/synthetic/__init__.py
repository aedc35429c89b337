"""The synthetic data set: drawn persons with synthesised audio, in which only the audio distinguishes some actions."""
