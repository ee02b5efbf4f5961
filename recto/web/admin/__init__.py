"""What administrators see and do: API and pages. Nobody's documents."""
