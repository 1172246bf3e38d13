"""Detection: picture in, frozen `Detections` out; one file per model family."""
