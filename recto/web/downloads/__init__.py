"""From a job to its files: results, archives, pictures of pages, and links to them."""
