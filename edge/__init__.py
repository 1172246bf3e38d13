"""What runs beside cameras and sensors: sees, decides, acts, keeps until the ingest has it."""
