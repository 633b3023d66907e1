"""Jobs, machines and costs of a run on Google Cloud Batch, before anything is submitted."""

from cellscale.engines.batch.plan.run_plan import shortened

__all__ = ["shortened"]
