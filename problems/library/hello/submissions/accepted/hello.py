print("Hello, CodeMentor!")
