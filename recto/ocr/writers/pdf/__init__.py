"""The searchable PDF: the document's own pages, with recognised text set invisibly on its words (writer.py)."""
