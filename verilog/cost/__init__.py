"""What designs cost: gates, LUTs, MHz."""
