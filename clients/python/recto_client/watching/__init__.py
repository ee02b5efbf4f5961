"""`recto watch`: every document that appears in a folder is read once, whatever ends the program in between."""
