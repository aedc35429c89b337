"""One HTML page that plays a video with its detections: boxes, a timeline of people and actions, the sound."""
