# Raises NameError: the quotes are missing.
print(Hello)
