"""Measuring a detection model on labelled pictures: labels in, figures and pictures out."""
