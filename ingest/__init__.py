"""What runs on the server: receives, keeps, opens incidents, serves people and machines."""
