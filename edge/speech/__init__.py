"""Sentences said aloud: when, by what, and the clips."""
