"""``python -m core``: everything MaskDesk does, without the browser."""

from core.cli import main

if __name__ == "__main__":
    main()
