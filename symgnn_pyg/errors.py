"""The error that names what is wrong in a user's file."""

__all__ = ["DataError"]


class DataError(ValueError):
    r"""A file that cannot be used: the message names the file, the line where
    there is one, what is wrong, and the way out.
    """
