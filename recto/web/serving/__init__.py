"""What serves every request alike: the server, its database access, its health, limits and static files."""
