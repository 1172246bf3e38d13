"""Live view: who looks at which camera and why, and the newest picture of each, in memory alone."""
