"""What is known, in forms that other systems read."""
