"""What is shown of the state."""
