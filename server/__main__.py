"""`python -m server` is `tapedeck serve`."""

import sys

from server.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
