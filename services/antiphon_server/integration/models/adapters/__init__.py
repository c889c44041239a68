"""Backends of models: the wires, the libraries and the processes behind them."""
