"""From a request to a job: the document, its options, and what may be sent again."""
