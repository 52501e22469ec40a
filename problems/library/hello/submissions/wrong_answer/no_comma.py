# The comma is missing.
print("Hello CodeMentor!")
