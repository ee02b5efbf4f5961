"""Takes all that one Recto keeps over to another database and another File Storage, as often as one likes until both are equal."""
