"""Those of the full world's users whom a demonstration's portal knows."""

from tests.sandbox.portal.server import Portal


def move_in(portal: Portal) -> Portal:
    """Alice may upload, Bob may watch alone, Carol is disabled, Erin is there twice; the others are unknown."""
    portal.add_user("alice@example.org", "Contributor", first="Alice", last="Example")
    portal.add_user("bob@example.org", "Viewer", first="Bob", last="Example")
    portal.add_user("carol@example.org", "Contributor", first="Carol", last="Example", active=False)
    for _ in range(2):
        portal.add_user("erin@example.org", "Contributor", first="Erin", last="Example")
    return portal
