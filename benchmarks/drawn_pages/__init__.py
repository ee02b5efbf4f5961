"""Drawn pages that stand in for kinds of documents of which no set at hand has scans, with the drawn text as their truth."""
