"""`gates setup` and `gates list`: what lets people behind shared identities be blocked."""
