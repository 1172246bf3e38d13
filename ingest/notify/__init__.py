"""Who is told of an incident, by what means, and the proof that they were."""
