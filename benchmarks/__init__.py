"""Measured ratios against peers and bare mechanisms; `README.md` says how to run them."""
