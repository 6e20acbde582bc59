"""The rules, as tables of sentences."""
