"""Steps that are no notebooks: each module has ``run(**parameters)`` and returns what it wrote."""
