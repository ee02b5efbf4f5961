"""What the Database keeps of a job besides its status: written and read here, by subject."""
