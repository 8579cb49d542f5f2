"""`python -m emafusion` is the command `emafusion`."""

from emafusion.cli import main

if __name__ == "__main__":
    main()
