"""``antiphon`` begun by fork, from a process that has imported all of it and begun none of gRPC.

A start of Python that imports the product takes half a second of a processor, and a run of the
tests needs some hundred. What is begun here is a process as any other: it has its own id,
signals, environment and files, and runs ``python -m antiphon_server`` to its end.
"""
