console.log("Hello, CodeMentor!");
