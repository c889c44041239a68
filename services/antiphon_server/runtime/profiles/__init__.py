"""What users want to be known by, as every service reads it."""
