"""Jobs and what belongs to them: lists, pages, corrections, details, batches, search."""
