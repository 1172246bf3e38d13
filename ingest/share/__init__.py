"""What the district is told."""
