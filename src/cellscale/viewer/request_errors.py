"""Why a request of the browser is not answered."""

from cellscale.errors import CellscaleError

__all__ = ["BadRequestError", "NotFoundError"]


class BadRequestError(CellscaleError):
    """The request makes no sense: not numbers, or outside the image (status 400)."""


class NotFoundError(CellscaleError):
    """There is nothing of that name (status 404)."""
