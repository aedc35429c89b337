"""One HTML page that plays a video with its detections: boxes, a timeline of persons and actions, a spectrogram."""
