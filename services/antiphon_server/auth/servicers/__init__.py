"""The RPCs of AuthService, one file per noun; ``servicer.py`` joins them."""
