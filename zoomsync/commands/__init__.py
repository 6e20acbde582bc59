"""The four commands: what each connects, and what it prints; imported one by one, so that none pays for another."""
