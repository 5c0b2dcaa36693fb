"""Starts JupyterLab as `python -m jupyterlab` does, sooner; the arguments are JupyterLab's."""

import without_address_grammar  # noqa: F401

if __name__ == "__main__":
    import runpy
    import sys

    # Nothing of this folder is a module of JupyterLab's.
    sys.path.pop(0)
    runpy.run_module("jupyterlab", run_name="__main__", alter_sys=True)
