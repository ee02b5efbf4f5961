"""Drawn pages that stand in for kinds of documents of which no set at hand has scans, with the drawn text as their truth.

Liberation and Noto are drawn with where they are installed, DejaVu stands in for them elsewhere: compare figures of one machine only.
"""
