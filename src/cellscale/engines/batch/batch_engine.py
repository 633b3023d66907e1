"""The engine that rents machines: hands a run to Google Cloud Batch, and follows it if asked."""

from dataclasses import replace
from importlib.util import find_spec

from cellscale.engines.engine_request import BatchOptions
from cellscale.errors import RequestError
from cellscale.pipeline.events import Listener, Notice
from cellscale.pipeline.outcome import RunOutcome
from cellscale.pipeline.request import Request

__all__ = ["require_batch", "run"]


def run(request: Request, listener: Listener, options: BatchOptions | None = None) -> RunOutcome:
    """Work on a dataset in Cloud Storage on Batch's machines; see `cellscale.engines.engine.Engine`.

    Without ``options.wait`` it returns as soon as the run is submitted; what became of the images is not known then.
    """
    require_batch()
    from cellscale.engines.batch.follow.watch import follow_run
    from cellscale.engines.batch.plan.run_plan import make_plan
    from cellscale.engines.batch.submit import describe_plan, described, submit

    options = options or BatchOptions()
    if request.dry_run:
        return RunOutcome((), notes=describe_plan(make_plan(request, options)))
    folder, submission, is_new = submit(request, options)
    notes = described(folder, submission)
    if not is_new:
        notes = ("this very run is at work already; nothing was submitted", *notes)
    if not options.wait:
        return RunOutcome((), notes=notes)
    for note in notes:
        listener(Notice(submission.run, "info", note))
    return replace(follow_run(folder, submission, listener), notes=(f"run: {folder}",))


def require_batch() -> None:
    """Check that the clients of Google Cloud are installed.

    Raises
    ------
    RequestError
        They are not.
    """
    for module in ("google.cloud.batch_v1", "gcsfs"):
        try:
            found = find_spec(module) is not None
        except ModuleNotFoundError:
            found = False
        if not found:
            raise RequestError("--engine batch needs the clients of Google Cloud: run pip install 'cellscale[gcp]'")
