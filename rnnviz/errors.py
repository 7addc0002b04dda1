"""What the product says when something is wrong: what, what is allowed, what to do."""


class RnnvizError(Exception):
    """A mistake that the person can mend; its text is shown as it stands."""


class DataError(RnnvizError):
    """The data cannot be used as they are."""


class ConfigError(RnnvizError):
    """A setting, or a combination of settings, lies outside of what is allowed."""


class TraceError(RnnvizError):
    """A trace lacks what was asked of it."""


class RunError(RnnvizError):
    """A run cannot be found, started or continued."""
