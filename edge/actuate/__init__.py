"""What the edge can switch, and how what was asked gets there."""
