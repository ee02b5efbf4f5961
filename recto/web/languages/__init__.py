"""The languages of the pages: sentences, names, numbers and times in each."""
