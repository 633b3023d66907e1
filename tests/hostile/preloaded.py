"""What every run loads, for a server of processes to have before it makes them: runs begin in a third of the time."""

import importlib
import sys

from numba.core.dispatcher import Dispatcher

from cellscale.compiled import warm_up

__all__: list[str] = []

MODULES = (
    "cellscale.cli.commands.segment",
    "cellscale.cli.commands.stage",
    "cellscale.cli.main",
    "cellscale.cli.output.progress",
    "cellscale.cli.output.summary",
    "cellscale.cli.settings.settled_request",
    "cellscale.engines.dask.dask_engine",
    "cellscale.engines.local",
    "cellscale.engines.tasks.finish",
    "cellscale.pipeline.measuring.project_entry",
    "cellscale.pipeline.measuring.write_tables",
    "cellscale.pipeline.pictures",
    "cellscale.planning",
    "cellscale.predict.choice",
    "cellscale.records.rates",
    "cellscale.report.write",
    "cellscale.weights.resolve",
    "distributed.cli.dask_scheduler",
    "distributed.cli.dask_worker",
    "imagecodecs._deflate",
    "imagecodecs._jpeg8",
    "imagecodecs._webp",
    "imagecodecs._zlib",
    "matplotlib.cm",
    "onnxruntime",
    "PIL.PngImagePlugin",
    "platformdirs",
    "pyarrow.compute",
    "pydantic.dataclasses",
)


def load() -> None:
    """Load modules, and the kernels that are kept on disk."""
    for module in MODULES:
        importlib.import_module(module)
    warm_up()
    ours = [module for name, module in sys.modules.items() if name.startswith("cellscale.")]
    for kernel in {value for module in ours for value in vars(module).values() if isinstance(value, Dispatcher)}:
        for signature, *_ in kernel._cache._cache_file._load_index():
            kernel.compile(signature)


load()
