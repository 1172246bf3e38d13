"""What Home Assistant is told of the devices, so that it shows them by itself."""
