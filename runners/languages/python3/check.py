"""Reports syntax errors as Python itself would, without running anything."""

import sys

failed = False
for name in sys.argv[1:]:
    try:
        with open(name, "rb") as file:
            compile(file.read(), name, "exec", dont_inherit=True)
    except Exception as error:
        failed = True
        sys.excepthook(type(error), error.with_traceback(None), None)
if failed:
    sys.exit(1)
