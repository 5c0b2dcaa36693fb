"""Prints which kernels Jupyter would start and which extensions JupyterLab would load, as JSON, for `npm run doctor`.

The same as `jupyter kernelspec list --json` and `jupyter labextension list`, in one process.
"""

import without_address_grammar  # noqa: F401, I001

import io
import json
import logging

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.paths import jupyter_path
from jupyterlab.commands import AppOptions, list_extensions


def extensions():
    """The lines that JupyterLab says of its extensions."""
    told = io.StringIO()
    logger = logging.getLogger("what_jupyter_sees")
    logger.addHandler(logging.StreamHandler(told))
    logger.setLevel(logging.INFO)
    # Where JupyterLab looks by itself; asking it where would load all of it.
    list_extensions(AppOptions(logger=logger, labextensions_path=jupyter_path("labextensions")))
    return told.getvalue().splitlines()


if __name__ == "__main__":
    print(json.dumps({"kernelspecs": KernelSpecManager().get_all_specs(), "extensions": extensions()}))
