"""How tables of estimates show themselves to a person: as text in JupyterLab, and as figures."""
