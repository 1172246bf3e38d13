"""Measuring classifiers on a folder of pictures with one sub-folder for each class."""
