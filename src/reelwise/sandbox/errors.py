"""What the sandbox answers where it does not serve a request; each vendor's routes write it in their own shape."""

from __future__ import annotations

from reelwise.errors import ReelwiseError

__all__ = ["BadRequestError", "GoneError", "KeyRefusedError", "LimitedError", "NotFoundError", "RefusalError"]


class RefusalError(ReelwiseError):
    """A request that is answered with an HTTP status and a message, and billed nothing."""

    exit_code = 2
    status = 400
    kind = "invalid_request_error"
    google = "INVALID_ARGUMENT"

    def __init__(self, message: str, *, code: str = "", retry_seconds: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_seconds = retry_seconds


class BadRequestError(RefusalError):
    """Something in it cannot be."""


class KeyRefusedError(RefusalError):
    """A wrong key, or none."""

    status = 401
    kind = "authentication_error"
    google = "UNAUTHENTICATED"


class NotFoundError(RefusalError):
    """No such model, file, batch or path."""

    status = 404
    kind = "not_found_error"
    google = "NOT_FOUND"


class GoneError(RefusalError):
    """It was there, and expired."""

    status = 403
    kind = "permission_error"
    google = "PERMISSION_DENIED"


class LimitedError(RefusalError):
    """Too many requests or tokens a minute."""

    status = 429
    kind = "rate_limit_error"
    google = "RESOURCE_EXHAUSTED"
